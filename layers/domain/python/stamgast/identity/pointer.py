"""The item that leads from an identifier to its person."""

from dataclasses import dataclass, field

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.served import NOBODY, Neighbours, Off
from stamgast.identity.settings import Kind

HINTED_ANCHORS = 8


@dataclass(frozen=True, slots=True)
class Pointer:
    """One identifier: its person, what it is, and the neighbours that name persons.

    `off` says which links it no longer makes, for it serves more persons than it may. `hint` names
    anchors of the person, at most eight. `person_id` may name a person merged since.
    """

    key: str
    person_id: str
    version: int
    born: Birth
    namespace: str
    kind: Kind
    assurance: Assurance
    value: str = field(repr=False)
    met: Neighbours = NOBODY
    off: Off = Off.NOT
    hint: tuple[str, ...] = ()

    @property
    def near(self) -> frozenset[str]:
        """The neighbours that name persons, on whatever word."""
        return self.met.all

    @property
    def is_off(self) -> bool:
        """Whether it serves more persons than it may, by claims at least."""
        return self.off is not Off.NOT
