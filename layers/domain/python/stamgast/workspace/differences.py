"""What differs between two identity configurations, and what a preview can show of it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

from stamgast.consent.purposes import Purpose
from stamgast.identity.settings import IdentitySettings, Namespace


class Reach(StrEnum):
    """What a changed setting applies to.

    `ALL` evidence is settled anew by the next run, so the lake can be asked before. What decides
    how an event is read (`NEW`) holds for events that come from now on: those in the lake keep
    their identifiers and anchors, until they are replayed from the archive into an empty lake.
    """

    ALL = "all_evidence"
    NEW = "new_events"
    BOTH = "both"


REACH = {
    "person_limit": Reach.ALL,
    "merge_limit": Reach.ALL,
    "blocked_values": Reach.NEW,
    "blocked_patterns": Reach.NEW,
    "default_region": Reach.NEW,
    "regions": Reach.NEW,
}
NAMESPACE_REACH = {
    "kind": Reach.ALL,
    "value_limit": Reach.ALL,
    "most": Reach.ALL,
    "priority": Reach.BOTH,
    "paths": Reach.NEW,
    "form": Reach.NEW,
    "fold_case": Reach.NEW,
    "allow": Reach.NEW,
    "block": Reach.NEW,
    "least_assurance": Reach.NEW,
    "providers": Reach.NEW,
    "external_types": Reach.NEW,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that changes: its place as in the YAML, both values, and what it reaches."""

    place: str
    before: str | None
    after: str | None
    reach: Reach

    @property
    def is_shown(self) -> bool:
        """Whether a preview over the lake's evidence shows what it does, at least in part."""
        return self.reach is not Reach.NEW


def identity_differences(before: IdentitySettings, after: IdentitySettings) -> list[Difference]:
    """Every difference of two configurations, in the order of the configuration's own fields."""
    return [*_namespaces(before, after), *_rest(before, after), *_purposes(before, after)]


def _rest(before: IdentitySettings, after: IdentitySettings) -> Iterator[Difference]:
    for field in fields(IdentitySettings):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if field.name not in ("namespaces", "consents") and old != new:
            yield Difference(field.name, *_told(old, new), REACH[field.name])


def _purposes(before: IdentitySettings, after: IdentitySettings) -> Iterator[Difference]:
    """What events say of purposes is read as they come; what a purpose covers holds at once."""
    was, shall = before.consents.by_name, after.consents.by_name
    for name in dict.fromkeys([*was, *shall]):
        old, new = was.get(name), shall.get(name)
        if old != new:
            yield Difference(f"purposes.{name}", _purpose(old), _purpose(new), Reach.NEW)
    is_asked, is_to_be = before.consents.is_purpose_required, after.consents.is_purpose_required
    if is_asked != is_to_be:
        yield Difference("purpose_required", *_told(is_asked, is_to_be), Reach.NEW)


def _purpose(one: Purpose | None) -> str | None:
    if one is None:
        return None
    told = [one.legal_basis, "granted" if one.is_default_granted else "denied", *one.covers]
    told += [*one.categories, *one.refused_by, one.least_assurance.name.lower()]
    return ", ".join(map(str, told))


def _namespaces(before: IdentitySettings, after: IdentitySettings) -> Iterator[Difference]:
    for name in dict.fromkeys([*before.by_name, *after.by_name]):
        old, new = before.by_name.get(name), after.by_name.get(name)
        place = f"namespaces.{name}"
        if old is None:
            yield Difference(place, None, "added", Reach.NEW)
        elif new is None:
            yield Difference(place, "there", "removed", Reach.BOTH)
        else:
            yield from _namespace(place, old, new)


def _namespace(place: str, old: Namespace, new: Namespace) -> Iterator[Difference]:
    for name, reach in NAMESPACE_REACH.items():
        was, shall = getattr(old, name), getattr(new, name)
        if was != shall:
            yield Difference(f"{place}.{name}", *_told(was, shall), reach)


def _told(old: object, new: object) -> tuple[str, str]:
    """Both values; of sets what goes and what comes, for they are long."""
    if isinstance(old, frozenset) and isinstance(new, frozenset):
        gone, come = sorted(map(str, old - new)), sorted(map(str, new - old))
        return f"without {', '.join(come) or '–'}", f"without {', '.join(gone) or '–'}"
    return _plain(old), _plain(new)


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(".".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in value)
    return str(value)
