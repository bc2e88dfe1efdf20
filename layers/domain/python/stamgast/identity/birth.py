"""When and by which receipt an identifier was first seen: it decides whose person id survives."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Birth:
    """A founding receipt, ordered oldest first; `position` is the identifier's in its message."""

    received_ms: int
    message_key: str
    position: int
    person_id: str = field(compare=False)
