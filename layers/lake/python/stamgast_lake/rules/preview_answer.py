"""A preview as one reader is told it: samples hold whom and what scope and consent let it see."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from stamgast.consent.coverage import coverage_of, silenced
from stamgast.consent.purposes import SUPPRESSED, Purposes
from stamgast.egress.decision import LivePerson, LivePersons, unparted
from stamgast.egress.manifest import within
from stamgast.identity.explain.masking import masked
from stamgast.identity.settings import IdentitySettings
from stamgast.lookup.reader import Reader
from stamgast.moments import iso_of
from stamgast_lake.rules.preview import Change, SegmentPreview, Someone

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told, and what the values behind a sample are."""

    reader: Reader
    settings: IdentitySettings
    people: Mapping[str, LivePerson]

    def someone(self, one: Someone) -> Json | None:
        """A person of a sample; what the scope leaves out is absent, values are masked.

        A token that is bound to purposes gets nothing masked: that is outside the manifest, too.

        None for who may not be shown, and for who is gone or parted since the run.
        """
        if one.person_id not in self.people:
            return None
        may_see = self.reader.may_see
        told: Json = {"person_id": one.person_id, "identifiers": self._identifiers(one.person_id)}
        if may_see("rfm.segment"):
            told["rfm"] = one.rfm
        if may_see("orders"):
            told["orders"] = one.orders
        if may_see("last_seen_at"):
            told["last_seen_at"] = None if one.last_ms is None else iso_of(one.last_ms)
        return told

    def _identifiers(self, person_id: str) -> list[Json]:
        return [
            {
                "namespace": namespace,
                "value": value if self._is_plain(namespace) else self._mask(namespace, value),
                "is_masked": not self._is_plain(namespace),
            }
            for namespace, values in sorted(self.people[person_id].identifiers.items())
            if self._is_plain(namespace) or not self.reader.purposes
            for value in values
        ]

    def _is_plain(self, namespace: str) -> bool:
        return self.reader.may_see(f"identifiers.{namespace}")

    def _mask(self, namespace: str, value: str) -> str:
        return masked(namespace, value, self.settings)


def seen_by(reader: Reader, found: SegmentPreview) -> SegmentPreview:
    """The preview without namespaces that the reader may not name, and segments it may not see."""
    return replace(
        found,
        reached={name: told for name, told in found.reached.items() if reader.may_name(name)},
        overlaps=tuple(o for o in found.overlaps if reader.may_see(f"segments.{o.segment}")),
    )


def telling_of(
    found: SegmentPreview,
    reader: Reader,
    settings: IdentitySettings,
    purposes: Purposes,
    persons: LivePersons,
) -> Telling:
    """What is needed to tell this reader of the samples, read from the live view.

    Who is bound to purposes is shown those whose consent covers the purpose that was asked for,
    and of them what it covers; who is suppressed is shown to nobody.
    """
    name = found.purpose if reader.purposes else SUPPRESSED
    purpose = purposes.of(name) if reader.purposes and name else None
    shown = _shown(found)
    namespaces = frozenset(one for one in settings.by_name if reader.may_name(one))
    live = persons.read(sorted(shown), namespaces) if shown and name else {}
    people = unparted(live, shown)
    told = {who: one for who, one in people.items() if _may_be_shown(one, name or "", purposes)}
    return Telling(within(reader, purpose) if purpose else reader, settings, told)


def _may_be_shown(person: LivePerson, name: str, purposes: Purposes) -> bool:
    if name == SUPPRESSED:  # which no workspace declares
        return silenced(person.consent) is None
    return coverage_of(person.consent, name, purposes).is_covered


def _shown(found: SegmentPreview) -> dict[str, Collection[str]]:
    """Whom the samples hold, and of which identifiers the last run made them."""
    changed: Iterable[Someone] = ()
    if found.change is not None:
        changed = (*found.change.entering_sample, *found.change.leaving_sample)
    return {one.person_id: one.identifiers for one in (*found.sample, *changed)}


def answer_of(
    found: SegmentPreview, text: str, time_zone: str, tell: Callable[[Someone], Json | None]
) -> Json:
    """The preview as JSON, its samples as `tell` tells them."""
    return {
        "segment": found.segment,
        "rule": text.strip(),
        "rule_version": found.rule_version,
        "purpose": found.purpose,
        "as_of": iso_of(found.at_ms),
        "time_zone": time_zone,
        "last_run": found.last_run,
        "size": found.size,
        "population": found.population,
        "consented": found.consented,
        "reached": [
            {"namespace": name, "people": people, "consented": consented}
            for name, (people, consented) in found.reached.items()
        ],
        "change": None if found.change is None else _change(found.change, tell),
        "overlaps": [asdict(one) for one in found.overlaps],
        "sample": _people(found.sample, tell),
    }


def _change(change: Change, tell: Callable[[Someone], Json | None]) -> Json:
    return {
        "size": change.size,
        "rule_version": change.rule_version,
        "entering": change.entering,
        "leaving": change.leaving,
        "entering_sample": _people(change.entering_sample, tell),
        "leaving_sample": _people(change.leaving_sample, tell),
    }


def _people(people: Sequence[Someone], tell: Callable[[Someone], Json | None]) -> list[Json]:
    return [told for one in people if (told := tell(one)) is not None]
