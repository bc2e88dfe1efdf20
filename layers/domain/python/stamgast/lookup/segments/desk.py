"""What answering questions about segments needs: live profiles, the lake's rows, and jobs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from stamgast.egress.disclosure import Disclosure
from stamgast.identity.keys import Keyring
from stamgast.lookup.faults import Fault
from stamgast.lookup.find import ProfileStore
from stamgast.lookup.routes import TimelineStore, TokenStore
from stamgast.lookup.segments.jobs import JobStore
from stamgast.segments.definitions import Segment, segments_of
from stamgast.segments.language.view import Document
from stamgast.segments.language.windows import Now
from stamgast.workspace.model import Workspace

Row = Mapping[str, Any]
Pause = Callable[[float], None]


class Records(Protocol):
    """What the lake's rows tell of one person beyond the live view."""

    def events(self, anchors: frozenset[str]) -> Sequence[Document]:
        """Every event at these anchors, as rules read events."""

    def published(self, person_id: str, segment: str) -> tuple[Row | None, Row | None]:
        """The newest row of the log of memberships; the last run that ended well."""


class Answers(Protocol):
    """Where jobs leave what they found; links to files end by themselves."""

    def read(self, job_id: str) -> Row | None:
        """What a finished job answers."""

    def link(self, job_id: str, name: str) -> str:
        """An address from which an exported file can be fetched for a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class SegmentDesk:
    """What answering needs; `now_ms` is milliseconds since 1970, `begin` starts a job's work."""

    tokens: TokenStore
    profiles: ProfileStore
    timelines: TimelineStore
    records: Records
    jobs: JobStore
    answers: Answers
    workspace: Workspace
    keyring: Keyring
    now_ms: Callable[[], int]
    begin: Callable[[str], None]
    new_id: Callable[[], str]
    pause: Pause
    disclosures: list[Disclosure] = field(default_factory=list)
    """Who was explained to whom while answering, to be kept before the answer goes out."""

    def now(self) -> Now:
        """The moment of asking, in the workspace's time zone."""
        return Now(self.now_ms(), ZoneInfo(self.workspace.time_zone))

    def segments(self) -> tuple[Segment, ...]:
        """The segments in force, each after those that it rests on."""
        return segments_of(self.workspace.segments)


def segment_named(name: str, segments: Sequence[Segment]) -> Segment | Fault:
    """The segment of this name, or a fault that says which there are."""
    found = next((one for one in segments if one.name == name), None)
    if found is None:
        # Imported on use: a name that is known needs no guess at another.
        from stamgast.segments.language.names import near

        hint = near(name, [one.name for one in segments]) or _listed(segments)
        return Fault(404, "no_such_segment", f"There is no segment of this name; {hint}")
    return found


def _listed(segments: Sequence[Segment]) -> str:
    return f"there are {', '.join(one.name for one in segments) or 'none'}."
