"""When and by which receipt an identifier was first seen: it decides whose person id survives."""

from dataclasses import dataclass, field, replace

# In the place of the message: what it says of an identifier does not count.
VOID = "-"


@dataclass(frozen=True, slots=True, order=True)
class Birth:
    """A founding receipt, ordered oldest first; `position` is the identifier's in its message."""

    received_ms: int
    message_key: str
    position: int
    person_id: str = field(compare=False)

    @property
    def is_void(self) -> bool:
        """Whether no message that counts has named the identifier yet."""
        return self.message_key == VOID

    def voided(self) -> "Birth":
        """The birth of one whom nothing names that counts: the first that does founds it anew."""
        return replace(self, message_key=VOID)
