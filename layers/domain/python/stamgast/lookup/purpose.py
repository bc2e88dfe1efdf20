"""For which purpose somebody reads, and what of a person it lets them see.

A token may be bound to purposes; what it reads for one is what that purpose covers, of persons
whose consent covers it. Who is suppressed is shown to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stamgast.consent.coverage import Coverage, coverage_of, silenced, values_of
from stamgast.consent.purposes import Purpose, Use
from stamgast.egress.decision import REASONS, Why
from stamgast.egress.disclosure import Disclosure
from stamgast.egress.manifest import no_purpose, within
from stamgast.lookup.faults import Fault, bad, forbidden
from stamgast.lookup.person import Profile
from stamgast.lookup.reader import Reader
from stamgast.lookup.routes import Desk
from stamgast.moments import iso_of

CONSENTS = "consents"


@dataclass(frozen=True, slots=True)
class Errand:
    """Who reads, for which purpose (None: for none that was named), and which fields."""

    reader: Reader
    purpose: Purpose | None
    route: str
    asked: tuple[str, ...]

    def allows(self, profile: Profile, desk: Desk) -> bool:
        """Whether this person may be shown; the decision is noted either way."""
        coverage = self._coverage(profile, desk)
        is_allowed = coverage is None or coverage.is_covered
        self.note(desk, profile.person.person_id, coverage, is_allowed)
        return is_allowed

    def note(
        self, desk: Desk, person_id: str | None, coverage: Coverage | None, is_allowed: bool
    ) -> None:
        """Notes one decision; without a person that nobody was found."""
        why = Why.NO_PURPOSE if coverage is None else REASONS[coverage.verdict]
        desk.disclosures.append(
            Disclosure(
                kind=self.route,
                person_id=person_id,
                recipient=self.reader.name,
                purpose=self.purpose.name if self.purpose else None,
                fields=self.asked if is_allowed and person_id else (),
                is_allowed=is_allowed and person_id is not None,
                reason=why if person_id else Why.NOT_FOUND,
                consent_version=coverage.version if coverage else None,
                consent_ms=coverage.said_ms if coverage else None,
                decided_ms=desk.now_ms,
            )
        )

    def _coverage(self, profile: Profile, desk: Desk) -> Coverage | None:
        purposes = desk.workspace.consents
        if self.purpose is not None:
            return coverage_of(profile.consent, self.purpose.name, purposes)
        return silenced(profile.consent)

    def withheld(self, profile: Profile, desk: Desk) -> Mapping[str, Any]:
        """What is told in place of a person who may not be shown."""
        coverage = self._coverage(profile, desk)
        why = Why.NO_PURPOSE if coverage is None else REASONS[coverage.verdict]
        return {
            "person_id": profile.person.person_id,
            "view": profile.view.value,
            "withheld": {"purpose": self.purpose.name if self.purpose else None, "reason": why},
        }


def errand_of(
    told: str | None,
    reader: Reader,
    desk: Desk,
    route: str,
    asked: frozenset[str],
    *,
    is_for_links: bool = False,
) -> Errand | Fault:
    """The errand of a request that names this purpose, or why it may not be run.

    Where a workspace declares no purposes, links are opted in to by name and no consent is asked.
    """
    workspace = desk.workspace
    name = purpose_of(told, reader)
    if isinstance(name, Fault):
        return name
    if name is None and workspace.consents.is_purpose_required:
        return forbidden("This workspace wants a purpose named: purpose=… .")
    if name is None:
        return Errand(reader, None, route, tuple(sorted(asked)))
    if is_for_links and not workspace.consents.is_declared and not reader.purposes:
        return Errand(reader, None, route, tuple(sorted(asked)))
    purpose = workspace.consents.of(name)
    if purpose is None:
        return bad("bad_purpose", no_purpose(name, workspace.consents).message)
    if not purpose.allows(Use.LOOKUP):
        return forbidden(f"The purpose {name} does not cover lookup.")
    if is_for_links and not purpose.allows(Use.LINKS):
        return forbidden(f"The purpose {name} does not cover links.")
    return Errand(within(reader, purpose), purpose, route, tuple(sorted(asked)))


def with_consents(profile: Profile, desk: Desk) -> Profile:
    """The profile with what is known of each purpose, as the section `consents` tells it."""
    purposes = desk.workspace.consents
    named = purposes.by_name if purposes.is_declared else values_of(profile.consent)
    told = {name: _told(coverage_of(profile.consent, name, purposes)) for name in named}
    rows = {**profile.person.rows, CONSENTS: told}
    return replace(profile, person=replace(profile.person, rows=rows))


def _told(coverage: Coverage) -> dict[str, Any]:
    return {
        "is_covered": coverage.is_covered,
        "state": coverage.verdict.value,
        "said_at": None if coverage.said_ms is None else iso_of(coverage.said_ms),
        "message": coverage.version,
        **coverage.detail,
    }


def purpose_of(told: str | None, reader: Reader) -> str | Fault | None:
    """The purpose that a request is for: one of the token's own, if it is bound to any."""
    name = told or (reader.purposes[0] if len(reader.purposes) == 1 else None)
    if not reader.purposes or name in reader.purposes:
        return name
    if name is None:
        return bad("bad_purpose", f"purpose takes one of {', '.join(reader.purposes)}.")
    return forbidden("This token may not read for this purpose.")
