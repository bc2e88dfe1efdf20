"""What rules take out of JSON columns, each place and type once for all rules."""

from dataclasses import dataclass, field

from stamgast.segments.language.columns import Path
from stamgast.segments.language.tree import Type
from stamgast_lake.rules.guards import Guard
from stamgast_lake.rules.literals import quoted, read_json, read_quotation
from stamgast_lake.rules.sources import place_in

# No relation is that large. Without a limit the engine folds a layer into the one above it and
# parses a document anew for each expression that names a value of it: ten times the work.
ONCE = "limit 9000000000000000000"


@dataclass(slots=True)
class Extractions:
    """The places of JSON documents that expressions over one relation read.

    `names` tells the column under which a typed value stands once `wrapped` made the relation.
    `places` has the guard of those that only filters with a guard read: the document of any other
    event is not looked into.
    """

    zone: str
    prefix: str
    places: dict[tuple[str, str], Guard | None] = field(default_factory=dict)
    names: dict[tuple[Path, Type], str] = field(default_factory=dict)
    quotations: dict[Path, str] = field(default_factory=dict)

    def name(self, path: Path, kind: Type, guard: Guard | None = None) -> str:
        """The column of a path's value as a type, registered when it is first asked for."""
        self._see(path, guard)
        key = (path, kind)
        if key not in self.names:
            self.names[key] = f"{self.prefix}{len(self.names)}"
        return self.names[key]

    def quotation(self, path: Path, guard: Guard | None = None) -> str:
        """The column of a text as JSON writes it, quotes and all; null for what is no text.

        To compare it with a text is cheaper than to take its quotes off first.
        """
        self._see(path, guard)
        return self.quotations.setdefault(path, f"{self.prefix}q{len(self.quotations)}")

    def _see(self, path: Path, guard: Guard | None) -> None:
        place = place_in(path)
        known = self.places.get(place, frozenset())
        self.places[place] = None if known is None or guard is None else known | guard

    def wrapped(self, relation: str, plain: str) -> str:
        """A SELECT of `plain` columns and of every typed value, in two layers.

        The lower one parses each document once for all its places, the upper one reads types.
        """
        if not self.places:
            return f"select {plain} from {relation}"
        documents = self._documents()
        lower = [
            f"{self._extracted(document, group)} as {alias}"
            for (document, group), (alias, _) in documents.items()
        ]
        spots = {
            (document, place): f"{alias}[{number}]" if len(places) > 1 else alias
            for (document, _), (alias, places) in documents.items()
            for number, place in enumerate(places, 1)
        }
        upper = [
            f"{read_json(kind, spots[place_in(path)], self.zone)} as {name}"
            for (path, kind), name in self.names.items()
        ]
        upper += [
            f"{read_quotation(spots[place_in(path)])} as {name}"
            for path, name in self.quotations.items()
        ]
        inner = f"select {plain}, {', '.join(lower)} from {relation} {ONCE}"
        return f"select {plain}, {', '.join(upper)} from ({inner}) parsed {ONCE}"

    def _documents(
        self,
    ) -> dict[tuple[str, Guard | None], tuple[str, list[str]]]:
        found: dict[tuple[str, Guard | None], tuple[str, list[str]]] = {}
        for (document, place), guard in self.places.items():
            alias = f"{self.prefix}j{len(found)}"
            found.setdefault((document, guard), (alias, []))[1].append(place)
        return found

    def _extracted(self, document: str, guard: Guard | None) -> str:
        places = next(
            places
            for (d, g), (_, places) in self._documents().items()
            if (d, g) == (document, guard)
        )
        listed = ", ".join(quoted(place) for place in places)
        taken = f"json_extract({document}, {listed if len(places) == 1 else f'[{listed}]'})"
        if guard is None:
            return taken
        names = ", ".join(quoted(name) for name in sorted(guard))
        return f"case when event in ({names}) then {taken} end"
