"""Keyed hashes: the only form in which an identifier is ever a key (HMAC-SHA-256, RFC 2104)."""

from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest, digest

KEY_LENGTH = 25
KEY_BITS = 5 * KEY_LENGTH
BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
PAIRS = tuple(a + b for a in BASE32 for b in BASE32)
PAIR_SHIFTS = tuple(range(KEY_BITS - 10, -1, -10))
VERSIONS = "0123456789abcdefghijklmnopqrstuvwxyz"

# The beginning of a message's key by which rings and tails know it.
SHORT_ID_LENGTH = 16

SEALED = "sealed:"
"""What a seal begins with: the place of a value that went with an erased person's identifier."""
SEALED_POSITIONS = 12


@dataclass(frozen=True, slots=True)
class Keyring:
    """Turns values into keys under one version of the workspace's secret."""

    version: int
    secret: bytes = field(repr=False)

    def identifier_key(self, namespace: str, value: str) -> str:
        """`<namespace>:<version digit><25 base32 characters>` of a normalised value."""
        if sealed := self._opened(value, namespace):
            return f"{namespace}:{sealed[0]}"
        return f"{namespace}:{self._tag}{self._hash(namespace, value)}"

    def message_key(self, source_id: str, message_id: str) -> str:
        """26 characters that stand for one message of one source."""
        if sealed := self._opened(message_id, "message", source_id):
            return sealed[0]
        return self._tag + self._hash("message", source_id, message_id)

    def person_id(self, source_id: str, message_id: str, position: int) -> str:
        """The id of the person whom this founding receipt began; derived from no identifier."""
        sealed = self._opened(message_id, "message", source_id)
        if position + 1 < len(sealed):
            return "p" + sealed[position + 1]
        return "p" + self._tag + self._hash("person", source_id, message_id, str(position))

    def sealed_value(self, namespace: str, value: str) -> str:
        """A text that has the key of this identifier, and tells nothing of its value."""
        return self._sealed([self.identifier_key(namespace, value).partition(":")[2]], namespace)

    def sealed_message(self, source_id: str, message_id: str) -> str:
        """A message id with the key of this one, that founds the same persons, and tells nothing.

        Persons of the first positions alone: an event that names more is one of several.
        """
        told = (self.person_id(source_id, message_id, n)[1:] for n in range(SEALED_POSITIONS))
        return self._sealed([self.message_key(source_id, message_id), *told], "message", source_id)

    def is_sealed(self, namespace: str, value: object) -> bool:
        """Whether this is a seal of an identifier that this keyring made."""
        return isinstance(value, str) and bool(self._opened(value, namespace))

    def proof_secret(self, source_id: str) -> bytes:
        """The secret with which a customer's server signs `context.proof` for this source."""
        return digest(self.secret, b"proof\0" + source_id.encode(), sha256)

    def _sealed(self, told: list[str], *place: str) -> str:
        """Nobody else can make one: it ends in a keyed hash of what it says and where it stands."""
        return SEALED + ".".join([*told, self._mark(told, place)])

    def _opened(self, text: str, *place: str) -> list[str]:
        """What a seal says; nothing for any other text."""
        if not text.startswith(SEALED):
            return []
        *told, mark = text.removeprefix(SEALED).split(".")
        is_own = compare_digest(mark.encode("utf-8", "replace"), self._mark(told, place).encode())
        return told if is_own else []

    def _mark(self, told: list[str], place: tuple[str, ...]) -> str:
        return self._hash("sealed", *place, *told)

    @property
    def _tag(self) -> str:
        return VERSIONS[self.version]

    def _hash(self, *parts: str) -> str:
        told = "\0".join(parts).encode("utf-8", "surrogatepass")
        return _base32(digest(self.secret, told, sha256))


def _base32(told: bytes) -> str:
    """The first 25 characters of the lower-case base32 form (RFC 4648) of at least 16 bytes.

    By pairs of characters: three times as fast as `base64.b32encode`, once for each identifier.
    """
    bits = int.from_bytes(told[:16]) >> 3
    pairs = [PAIRS[(bits >> shift) & 1023] for shift in PAIR_SHIFTS]
    return "".join(pairs) + BASE32[bits & 31]
