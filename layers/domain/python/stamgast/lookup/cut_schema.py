"""The JSON of cuts and lifts as models: what a body may hold, and what the answers look like."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from stamgast.lookup.schema import Form

MOST_LEAVING = 100
T = TypeVar("T", bound=BaseModel)
Named = Annotated[str, Field(max_length=1200)]
Reason = Annotated[
    str,
    Field(max_length=200, description="Why, for the archive; without personal data."),
]
IsPlan = Annotated[
    bool, Field(description="Shows what would follow, and changes nothing.", alias="plan")
]


class PairBody(Form):
    """Two identifiers, and why."""

    pair: Annotated[
        tuple[Named, Named] | None,
        Field(examples=[["email:ada@example.org", "user_id:42"]]),
    ] = None
    is_plan: IsPlan = False
    reason: Reason = ""


class CutBody(PairBody):
    """The body of `POST /v1/identity:cut`: a pair to cut, or the identifiers that leave."""

    leave: Annotated[
        list[Named] | None,
        Field(min_length=1, max_length=MOST_LEAVING, examples=[["anonymous_id:a-1"]]),
    ] = None

    is_alone: Annotated[
        bool,
        Field(
            description="With leave: cuts the links, too, by which the next run would join those "
            "that leave to others.",
            alias="alone",
        ),
    ] = False

    @model_validator(mode="after")
    def _one_of_both(self) -> "CutBody":
        if (self.pair is None) is (self.leave is None):
            raise ValueError("say either pair, two identifiers, or leave, a list of them")
        if self.is_alone and self.leave is None:
            raise ValueError("alone goes with leave, not with a pair")
        return self


class LiftBody(PairBody):
    """The body of `POST /v1/identity:lift`: the pair that was cut."""

    pair: Annotated[tuple[Named, Named], Field(examples=[["email:ada@example.org", "user_id:42"]])]


class ToldIdentifier(Form):
    """An identifier; its value is masked unless the token's fields grant it."""

    key: str
    namespace: str
    value: str | None
    is_masked: bool


class PersonTold(Form):
    """A person after the change, or as it would be."""

    person_id: str
    founded_at: str
    is_new: bool
    identifiers: list[ToldIdentifier]
    anchors: list[ToldIdentifier]


class EdgeTold(Form):
    """A link that changes its state: it is cut, joins, or no longer joins."""

    a: ToldIdentifier
    b: ToldIdentifier
    was: Literal["active", "refused", "cut"]
    becomes: Literal["active", "refused", "cut"]
    why: str | None


class LinkTold(Form):
    """A link that the next run adds, and the word that it rests on."""

    a: ToldIdentifier
    b: ToldIdentifier
    assurance: Literal["anonymous", "claimed", "verified"]


class JoinTold(Form):
    """A person as the next run makes it, of which persons of now, by which links."""

    person: PersonTold
    of: list[str]
    links: list[LinkTold]


class NextRunTold(Form):
    """What the next run joins, by what is known live; `is_whole` says that all was looked at."""

    joins: list[JoinTold]
    is_whole: bool
    note: str


class CutPlan(Form):
    """What would follow: nothing of it has been written."""

    verdict: Literal["cut", "lift"]
    pairs: list[tuple[ToldIdentifier, ToldIdentifier]]
    persons: list[PersonTold]
    absent: list[str]
    edges: list[EdgeTold]
    next_run: NextRunTold | None
    note: str


class PostCondition(Form):
    """What was read strongly after the change, and whether it is what was asked."""

    holds: bool
    text: str


class CutAnswer(Form):
    """A cut or a lift: done and checked, or still open under its job's id."""

    job: str | None
    verdict: Literal["cut", "lift"]
    state: Literal["done", "open", "unchanged"]
    by: str | None = None
    at: str | None = None
    reason: str | None = None
    pairs: list[tuple[ToldIdentifier, ToldIdentifier]]
    superseded: list[tuple[ToldIdentifier, ToldIdentifier]] | None = None
    persons: list[PersonTold] | None = None
    post_condition: PostCondition | None = None
    next_run: NextRunTold | None = None
    note: str


class CutListing(Form):
    """The open jobs, then those that ended last."""

    jobs: list[CutAnswer]


def cut_body(text: str) -> CutBody | str:
    """The body of a cut, or what is wrong with it, by field."""
    return _body(CutBody, text)


def lift_body(text: str) -> LiftBody | str:
    """The body of a lift, or what is wrong with it, by field."""
    return _body(LiftBody, text)


def _body(model: type[T], text: str) -> T | str:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the body"
        return f"{place}: {first['msg'].removeprefix('Value error, ')}"
