"""The JSON of the paths about segments: what a body may hold, and what the answers look like."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from stamgast.egress.fields import MOST_FIELDS
from stamgast.lookup.schema import Form, Problem

MOST_SHOWN = 100
# An HTTP API waits for 30 seconds and no more.
LONGEST_WAIT_SECONDS = 25
LONGEST_RULE = 10_000
B = TypeVar("B", bound=Form)
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,60}$")]
Wait = Annotated[
    int,
    Field(
        ge=0,
        le=LONGEST_WAIT_SECONDS,
        description="How long to wait for the answer before the job is told instead.",
    ),
]


class ExplainSegmentBody(Form):
    """The body of `POST /v1/segments:explain`."""

    segment: Annotated[str, Field(max_length=61, examples=["slowing_down"])]
    identifier: Annotated[str, Field(max_length=1200, examples=["email:anne@example.org"])]


class PreviewBody(Form):
    """The body of `POST /v1/segments:preview`: a segment's name, a rule, or both.

    With both, the rule is asked in the place of the segment's own, and compared with who is in.
    """

    segment: Name | None = None
    rule: Annotated[
        str | None, Field(max_length=LONGEST_RULE, examples=["orders.total_365d > 300"])
    ] = None
    purpose: Annotated[
        Name | None, Field(description="Left out: the segment's own purpose, if it has one.")
    ] = None
    sample: Annotated[int, Field(ge=0, le=MOST_SHOWN)] = 10
    wait_seconds: Wait = 20

    @model_validator(mode="after")
    def _at_least_one(self) -> "PreviewBody":
        if self.segment is None and self.rule is None:
            raise ValueError("say a segment, a rule, or both")
        return self


class ExportBody(Form):
    """The body of `POST /v1/segments:export`."""

    segment: Name
    purpose: Name
    fields: Annotated[
        list[Annotated[str, Field(max_length=300)]],
        Field(min_length=1, max_length=MOST_FIELDS, examples=[["traits.email", "rfm.segment"]]),
    ]
    format: Literal["csv", "parquet"] = "csv"
    wait_seconds: Wait = 20


class RuleFault(Form):
    """One fault of a rule: where it is, and what might be meant."""

    line: int
    column: int
    message: str
    suggestion: str | None


class RuleProblem(Problem):
    """An error body; of a rule that cannot be read with every fault by its place."""

    faults: list[RuleFault] | None = None


class SeenForm(Form):
    """A value that a condition saw; hidden, and null, where the token's fields leave it out."""

    what: str
    value: Any
    is_hidden: bool


class ChangeForm(Form):
    """The bound that a value would have to keep, and how far it is from it."""

    what: str
    op: Literal["=", "!=", "<", "<=", ">", ">="]
    bound: Any
    by: float | None


class ReasonForm(Form):
    """A condition that decides: its verdict (null is unknown), and what would flip it."""

    condition: str
    verdict: bool | None
    seen: list[SeenForm]
    would_flip: str
    change: ChangeForm | None
    unknown_because: list[str]
    behind: "ExplanationForm | None"


class ExplanationForm(Form):
    """Whether a rule is true, and the conditions that decide."""

    is_in: bool
    verdict: bool | None
    reasons: list[ReasonForm]


class EventsRead(Form):
    """How many events were read, and how many of them no run has taken in yet."""

    read: int
    only_live: int


class MembershipForm(Form):
    """Membership as the last run, or the live loop after it, published it."""

    is_in: bool
    since: str | None
    rule_version: str | None
    last_change: dict[str, Any] | None
    last_run: dict[str, str] | None


class SegmentExplanation(ExplanationForm):
    """Why somebody is in a segment at this moment or is not, beside what was published."""

    segment: str
    rule: str
    rule_version: str
    workspace_version: str
    person_id: str
    as_of: str
    time_zone: str
    events: EventsRead
    membership: MembershipForm
    is_as_published: bool


class IdentifierShown(Form):
    """An identifier of a person of a sample."""

    namespace: str
    value: str
    is_masked: bool


class PersonShown(Form):
    """A person of a sample; what the token's fields leave out is absent."""

    person_id: str
    identifiers: list[IdentifierShown]
    rfm: str | None = None
    orders: int | None = None
    last_seen_at: str | None = None


class ReachedForm(Form):
    """How many members have an identifier, and how many of them allow the purpose."""

    namespace: str
    people: int
    consented: int | None


class ChangeOfMembers(Form):
    """Against who is in now."""

    size: int
    rule_version: str | None
    entering: int
    leaving: int
    entering_sample: list[PersonShown]
    leaving_sample: list[PersonShown]


class OverlapForm(Form):
    """Another segment: how many are in both, and that against chance (1 is chance)."""

    segment: str
    size: int
    both: int
    lift: float | None


class PreviewAnswer(Form):
    """What a segment would be at a moment, over the lake as the last run left it."""

    segment: str | None
    rule: str
    rule_version: str
    workspace_version: str
    purpose: str | None
    as_of: str
    time_zone: str
    last_run: dict[str, str] | None
    size: int
    population: int
    consented: int | None
    reached: list[ReachedForm]
    change: ChangeOfMembers | None
    overlaps: list[OverlapForm]
    sample: list[PersonShown]


class FileForm(Form):
    """A file of an export; its address works for a quarter of an hour, the file for a day."""

    name: str
    rows: int
    bytes: int
    sha256: str
    url: str


class ExportAnswer(Form):
    """The receipt of an export: what left as of when, and how many did not for which reason."""

    export: str
    segment: str
    rule_version: str | None
    purpose: str
    fields: list[str]
    format: Literal["csv", "parquet"]
    recipient: str
    as_of: str
    run_id: str
    members: int
    exported: int
    reasons: dict[str, int]
    decided_from: str
    decided_until: str
    files: list[FileForm]


class SegmentJobAnswer(Form):
    """A job and, once it is done, what it found."""

    job: str
    kind: Literal["preview", "export"]
    state: Literal["waiting", "working", "done", "failed"]
    asked_at: str
    message: str | None
    answer: PreviewAnswer | ExportAnswer | None


def explain_body(text: str) -> ExplainSegmentBody | str:
    """The body of a question why, or what is wrong with it, by field."""
    return _body(ExplainSegmentBody, text)


def preview_body(text: str) -> PreviewBody | str:
    """The body of a preview, or what is wrong with it, by field."""
    return _body(PreviewBody, text)


def export_body(text: str) -> ExportBody | str:
    """The body of an export, or what is wrong with it, by field."""
    return _body(ExportBody, text)


def _body(model: type[B], text: str) -> B | str:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the body"
        return f"{place}: {first['msg']}"
