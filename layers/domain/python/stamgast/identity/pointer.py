"""The item that leads from an identifier to its person."""

from dataclasses import dataclass, field

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.settings import Kind

HINTED_ANCHORS = 8


@dataclass(frozen=True, slots=True)
class Pointer:
    """One identifier: its person, what it is, and its distinct neighbours up to its limit plus one.

    `is_off` says that the value serves more neighbours than it may, and so links nobody. `hint`
    names anchors of the person, at most eight. `person_id` may name a person merged since.
    """

    key: str
    person_id: str
    version: int
    born: Birth
    namespace: str
    kind: Kind
    assurance: Assurance
    value: str = field(repr=False)
    near: frozenset[str] = frozenset()
    is_off: bool = False
    hint: tuple[str, ...] = ()
