"""The JSON of the look-up API as models: what a body may hold, and what the answers look like.

The request's model validates; the answers' models describe (docs/openapi is made from them), and a
test holds real answers to them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOST_IDENTIFIERS = 100

Section = Literal[
    "traits",
    "segments",
    "rfm",
    "computed",
    "activity",
    "scores",
    "consents",
    "identifiers",
    "links",
]


class Form(BaseModel):
    """A form of which every field is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class LookupBody(Form):
    """The body of `POST /v1/profiles:lookup`."""

    identifiers: Annotated[
        list[Annotated[str, Field(max_length=1200)]],
        Field(min_length=1, max_length=MOST_IDENTIFIERS, examples=[["email:anne@example.org"]]),
    ]
    include: list[Section] = ["traits", "segments", "rfm", "activity"]
    view: Annotated[Literal["verified", "claimed"], Field(alias="as")] = "verified"
    purpose: Annotated[str, Field(max_length=60)] | None = None
    verbose: bool = False


class Problem(Form):
    """Every error body."""

    code: str
    message: str


class SegmentProblem(Problem):
    """An error body on Segment's paths."""

    error: Problem


class OrderTotals(Form):
    """The orders of one currency, in its minor units."""

    count: int
    revenue_minor: int
    first_at: str
    last_at: str


class RecentOrder(Form):
    """One of the newest orders."""

    order_id: str
    at: str
    currency: str
    revenue_minor: int


class IdentifierForm(BaseModel):
    """One identifier of the person."""

    model_config = ConfigDict(extra="allow")

    namespace: str
    key: str
    value: str | None = None


class LinkSide(Form):
    """One identifier of a link; its key only where the token may see such identifiers."""

    namespace: str
    key: str | None = None


class LinkForm(Form):
    """A provisional link: what a model believes, why, and until when; it has merged nobody.

    Unless `is_calibrated`, the probability is the model's own, which no log-ins have confirmed.
    """

    kind: Literal["device", "record"]
    probability: float
    is_calibrated: bool
    rule: str
    reasons: dict[str, Any]
    stated_at: str
    expires_at: str
    identifier: LinkSide
    other: LinkSide


class Withheld(Form):
    """Why nothing of the person is told: their consent does not cover the purpose."""

    purpose: str | None
    reason: str


class ProfileAnswer(Form):
    """A person's profile; sections not asked for, or outside the token's scope, are absent."""

    person_id: str
    view: Literal["verified", "claimed"]
    created_at: str | None = None
    first_seen_at: str | None = None
    last_seen_at: str | None = None
    withheld: Withheld | None = None
    traits: dict[str, Any] | None = None
    segments: Annotated[
        dict[str, dict[str, Any]] | None,
        Field(
            description="By segment that the person is in: `since`, `rule_version`, `live` (whether"
            " it holds at the moment of asking) and `as_of`; where it is not live, that is the"
            " newest run, or the change itself if it was noted since. Rules that wait for runs are"
            " not live, nor is what counts the events of somebody with more than 24 on one"
            " identifier since the newest run."
        ),
    ] = None
    rfm: Annotated[
        dict[str, Any] | None,
        Field(description="Cell, scores and measures as of the run that found them (`moment`)."),
    ] = None
    computed: dict[str, Any] | None = None
    scores: dict[str, dict[str, Any]] | None = None
    consents: dict[str, Any] | None = None
    counters: dict[str, int] | None = None
    orders: dict[str, OrderTotals] | None = None
    recent_orders: list[RecentOrder] | None = None
    identifiers: list[IdentifierForm] | None = None
    links: list[LinkForm] | None = None


class LookupResult(Form):
    """One answer of many: a profile, or why there is none."""

    identifier: str
    status: int
    profile: ProfileAnswer | None = None
    code: str | None = None
    message: str | None = None


class LookupAnswer(Form):
    """The answers in the order of the identifiers."""

    results: list[LookupResult]


class TimelineEvent(Form):
    """One event on a timeline."""

    at: str
    type: str
    name: str
    source: str
    message: str
    summary: dict[str, Any]


class TimelineAnswer(Form):
    """One page of a timeline, newest first; `cursor` is null on the last."""

    person_id: str
    view: Literal["verified", "claimed"]
    withheld: Withheld | None = None
    events: list[TimelineEvent] = []
    cursor: str | None = None


class SegmentCursor(Form):
    """Where the next page of a Segment path is."""

    url: str
    has_more: bool
    next: str
    limit: int


class SegmentTraits(Form):
    """`…/traits`"""

    traits: dict[str, Any]
    cursor: SegmentCursor


class SegmentListing(Form):
    """`…/external_ids` and `…/events`"""

    data: list[dict[str, Any]]
    cursor: SegmentCursor


class SegmentMetadata(Form):
    """`…/metadata`"""

    metadata: dict[str, Any]


def lookup_body(text: str) -> LookupBody | str:
    """The body of a request for many profiles, or what is wrong with it, by field."""
    try:
        return LookupBody.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the body"
        return f"{place}: {first['msg']}"
