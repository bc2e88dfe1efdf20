"""The JSON of the explaining paths: what a body may hold, and what the answers look like."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from stamgast.lookup.schema import Form

MOST_CUTS = 200
MOST_RUNS = 50
B = TypeVar("B", bound=Form)


class ExplainBody(Form):
    """The body of `POST /v1/identity:explain`."""

    identifier: Annotated[str, Field(max_length=1200, examples=["email:anne@example.org"])]
    as_of: Annotated[str, Field(max_length=40, examples=["2026-09-01"])] | None = None
    cuts: Annotated[int, Field(ge=0, le=MOST_CUTS)] = 20
    details: bool = True


class HealthBody(Form):
    """The body of `POST /v1/identity:health`; of how many runs the figures are wanted."""

    runs: Annotated[int, Field(ge=1, le=MOST_RUNS)] = 1


class AnsweredFrom(Form):
    """Live view or lake, as of when, and the last run whose rows were read."""

    view: Literal["live", "lake"]
    as_of: str
    time_zone: str
    last_run: dict[str, str] | None
    workspace_version: str


class Named(Form):
    """An identifier; its value is masked unless the token's fields grant identifiers."""

    key: str
    namespace: str
    value: str | None
    is_masked: bool


class MemberForm(Named):
    """An identifier of the person."""

    kind: Literal["persistent", "linked", "ephemeral"]
    assurance: Literal["anonymous", "claimed", "verified"]
    first_received_at: str
    is_founder: bool
    is_anchor: bool
    is_off: bool
    trust_group: str


class MessageForm(Form):
    """One message that supports an edge."""

    message: str
    event_at: str
    source: str | None
    assurance: Literal["anonymous", "claimed", "verified"]


class Tie(MessageForm):
    """An edge with its strongest, earliest support; `messages` has the best few where known."""

    a: Named
    b: Named
    rule: str
    priority: int
    messages: list[MessageForm] = Field(default_factory=list)
    supported_by: int | None = None


class EvidenceEdge(Tie):
    """An edge that holds the person together."""

    in_tree: bool
    is_bridge: bool


class RefusedEdge(Tie):
    """An edge that does not join, and why."""

    state: Literal["refused", "cut"]
    reason: str
    because: str
    other_person: str | None


class CutPart(Form):
    """A person that would be after a cut."""

    person_id: str
    is_same_person: bool
    identifiers: list[Named]


class CutEffect(Form):
    """What cutting one edge would do at once, and where it differs after the next run."""

    a: Named
    b: Named
    persons: list[CutPart]
    persons_after_run: list[CutPart] | None


class OffValue(Named):
    """A value that links nobody."""

    neighbours_known: int
    limit: int
    blocks: Literal["claims", "everything"]


class CannotLinkForm(Form):
    """Two identifiers that may not be one person."""

    a: Named
    b: Named
    by: str | None
    reason: str | None
    recorded_at: str | None


class ProvisionalForm(Form):
    """A statistical link: never joins; `reasons` are weights, the heaviest first.

    Unless `is_calibrated`, the probability is the model's own, which no log-ins have confirmed.
    """

    a: Named
    b: Named
    probability: float
    is_calibrated: bool
    rule: str
    event_at: str
    expires_at: str | None
    state: str
    reasons: dict[str, Any]


class PendingForm(Form):
    """What is not applied yet: parked messages, and jobs that hold persons."""

    parked: list[str]
    jobs: list[str]


class ExplainAnswer(Form):
    """Why this person is one person."""

    answered_from: AnsweredFrom
    identifier: Named
    person_id: str
    born_at: str
    founding_message: str
    is_settled: bool
    is_whole_component: bool
    identifiers: list[MemberForm]
    evidence: list[EvidenceEdge]
    weakest: EvidenceEdge | None
    bridges: int
    cuts: list[CutEffect]
    cuts_left_out: int
    refused: list[RefusedEdge]
    off: list[OffValue]
    cannot_links: list[CannotLinkForm]
    provisional: list[ProvisionalForm]
    pending: PendingForm


class HealthAnswer(Form):
    """The figures of the newest runs that measured them, the newest first."""

    runs: list[dict[str, Any]]


def explain_body(text: str) -> ExplainBody | str:
    """The body of a request to explain, or what is wrong with it, by field."""
    return _read(ExplainBody, text)


def health_body(text: str) -> HealthBody | str:
    """The body of a request for health, or what is wrong with it, by field."""
    return _read(HealthBody, text or "{}")


def _read(form: type[B], text: str) -> B | str:
    try:
        return form.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the body"
        return f"{place}: {first['msg']}"
