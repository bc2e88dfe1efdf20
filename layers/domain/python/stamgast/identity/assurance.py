"""How well a piece of evidence or a trait is known."""

from enum import IntEnum


class Assurance(IntEnum):
    """Anonymous, claimed (a public key said so), verified (a secret key or a valid proof did)."""

    ANONYMOUS = 0
    CLAIMED = 1
    VERIFIED = 2
