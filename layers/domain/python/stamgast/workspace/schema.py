"""The shape of the workspace's YAML files, with the defaults of what may be left out."""

import codecs
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from stamgast.identity.patterns import why_unsafe
from stamgast.identity.records import COLUMNS, DEFAULT_RULES, DEFAULT_TRAITS, rule_of
from stamgast.identity.settings import BLOCKED_PATTERNS, BLOCKED_VALUES, DEFAULT_NAMESPACES
from stamgast.ingestion.spellings import spelling_of


def _a_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Amsterdam") from error
    return name


def _a_region(code: str) -> str:
    if code not in SUPPORTED_REGIONS:
        raise ValueError(f"{code!r} is no region with telephone numbers, such as NL (ISO 3166)")
    return code


def _falling(levels: list[float]) -> list[float]:
    if any(level <= after for level, after in pairwise(levels)):
        raise ValueError("the most alike stands first, each level below the one before: 0.95, 0.9")
    return levels


def _rising(levels: list[int]) -> list[int]:
    if any(level >= after for level, after in pairwise(levels)):
        raise ValueError("the most alike stands first, each level above the one before: 1, 2")
    return levels


def _a_pattern(text: str) -> str:
    why = why_unsafe(text)
    if why is not None:
        raise ValueError(why)
    return text


def _a_format(text: str) -> str:
    spelling_of(text)
    return text


def _an_encoding(name: str) -> str:
    try:
        b"".decode(name)
    except LookupError as error:
        raise ValueError(f"{name!r} is no encoding, such as windows-1252 or utf-16") from error
    return codecs.lookup(name).name


Pattern = Annotated[str, AfterValidator(_a_pattern)]
Region = Annotated[str, Field(pattern="^[A-Z]{2}$"), AfterValidator(_a_region)]


def _a_rule(text: str) -> str:
    rule_of(text)
    return text


def _a_column(name: str) -> str:
    if name not in COLUMNS:
        raise ValueError(f"{name!r} is no comparison column; known are {', '.join(COLUMNS)}")
    return name


def _a_column_or_name(name: str) -> str:
    return name if name in DEFAULT_TRAITS else _a_column(name)


class Part(BaseModel):
    """A part of the workspace; an unknown name in it is a mistake, not a comment, and so is `'3'`
    or `yes` where a number belongs."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ImportMappingPart(Part):
    """`match: baskets/*.parquet`, where each column goes in the event's body, and how it is
    spelt.

    What was not said is not written: the version before reads such a mapping, too.
    """

    match: str
    columns: dict[str, str] = {}
    constants: dict[str, Any] = {}
    formats: Annotated[
        dict[str, Annotated[str, AfterValidator(_a_format)]],
        Field(exclude_if=lambda told: not told),
    ] = {}
    encoding: Annotated[
        str, AfterValidator(_an_encoding), Field(exclude_if=lambda told: told == "utf-8")
    ] = "utf-8"
    time_zone: Annotated[
        str, AfterValidator(_a_zone), Field(exclude_if=lambda told: told == "UTC")
    ] = "UTC"


class SourcePart(Part):
    """One source of events."""

    name: str
    region: Region | None = None
    events_per_second: Annotated[int, Field(gt=0)] | None = None
    imports: list[ImportMappingPart] = []


class NamespacePart(Part):
    """One family of identifiers; their order in the file is their priority."""

    kind: Literal["persistent", "linked", "ephemeral"]
    paths: list[str] = []
    value_limit: Annotated[int, Field(gt=0, le=100)] = 5
    form: Literal["text", "email", "phone"] = "text"
    fold_case: bool = False
    most: Annotated[int, Field(gt=0, le=1000)] | None = None
    allow: Pattern | None = None
    block: Annotated[list[Pattern], Field(max_length=20)] = []
    least_assurance: Literal["anonymous", "claimed", "verified"] = "anonymous"
    providers: list[Literal["gmail", "outlook", "icloud"]] = []
    external_types: Annotated[list[str], Field(max_length=20)] = []


def _default_namespaces() -> dict[str, NamespacePart]:
    return {
        one.name: NamespacePart(
            kind=one.kind.value,
            paths=[".".join(path) for path in one.paths],
            value_limit=one.value_limit,
            form=one.form.value,
            fold_case=one.fold_case,
            most=one.most,
        )
        for one in DEFAULT_NAMESPACES
    }


class DevicesPart(Part):
    """Links between devices by their behaviour; off unless it is turned on."""

    enabled: bool = False
    least_labels: Annotated[int, Field(ge=20, le=100_000)] = 100
    expiry_days: Annotated[int, Field(ge=1, le=365)] = 30
    least_probability: Annotated[float, Field(ge=0.01, le=0.99)] = 0.2
    address_devices: Annotated[int, Field(ge=2, le=200)] = 30
    window_days: Annotated[int, Field(ge=7, le=90)] = 28
    history_days: Annotated[int, Field(ge=14, le=730)] = 180
    train_every_days: Annotated[int, Field(ge=1, le=90)] = 7


class SimilarityPart(Part):
    """Levels between equal and different, most alike first: similarities, then edits."""

    jaro_winkler: Annotated[
        list[Annotated[float, Field(gt=0, lt=1)]], Field(max_length=4), AfterValidator(_falling)
    ] = []
    edits: Annotated[
        list[Annotated[int, Field(gt=0, le=5)]], Field(max_length=3), AfterValidator(_rising)
    ] = []


class RecordsPart(Part):
    """Links between the records of persons; off without this part, on where it stands, empty."""

    traits: dict[Annotated[str, AfterValidator(_a_column_or_name)], list[str]] = {}
    rules: Annotated[
        list[Annotated[str, AfterValidator(_a_rule)]], Field(min_length=1, max_length=62)
    ] = list(DEFAULT_RULES)
    comparisons: dict[Annotated[str, AfterValidator(_a_column)], SimilarityPart] = {}
    leave_out: list[Annotated[str, AfterValidator(_a_column)]] = []
    comparisons_a_record: Annotated[int, Field(ge=1, le=100)] = 12
    least_probability: Annotated[float, Field(ge=0.05, le=0.99)] = 0.5
    expiry_days: Annotated[int, Field(ge=1, le=365)] = 90
    train_every_days: Annotated[int, Field(ge=1, le=365)] = 30
    least_labels: Annotated[int, Field(ge=20, le=100_000)] = 100


class LinksPart(Part):
    """The purposes that opt in to provisional links, each from a probability on."""

    purposes: dict[
        Annotated[str, Field(pattern="^[a-z][a-z0-9_-]{0,40}$")],
        Annotated[float, Field(ge=0.5, le=1.0)],
    ] = {}


class IdentityPart(Part):
    """Namespaces, limits and values that identify nobody."""

    namespaces: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,30}$")], NamespacePart] = (
        Field(default_factory=_default_namespaces, min_length=1, max_length=30)
    )
    person_limit: Annotated[int, Field(gt=1, le=1000)] = 200
    blocked_values: list[str] = sorted(BLOCKED_VALUES)
    merge_limit: Annotated[int, Field(gt=0, le=1000)] = 50
    blocked_patterns: Annotated[list[Pattern], Field(max_length=50)] = list(BLOCKED_PATTERNS)
    default_region: Region | None = None
    devices: DevicesPart = DevicesPart()
    links: LinksPart = LinksPart()
    records: RecordsPart | None = None


class LookupPart(Part):
    """What a look-up through a claimed path may still tell."""

    safe_when_claimed: list[str] = []


class SourcesFile(Part):
    """`sources.yaml`"""

    sources: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_-]{0,40}$")], SourcePart] = Field(
        min_length=1
    )


class IdentityFile(Part):
    """`identity.yaml`"""

    identity: IdentityPart = IdentityPart()


class WorkspaceFile(Part):
    """`workspace.yaml`"""

    time_zone: Annotated[str, AfterValidator(_a_zone)] = "UTC"
    lookup: LookupPart = LookupPart()


FILES: dict[str, type[Part]] = {
    "workspace.yaml": WorkspaceFile,
    "sources.yaml": SourcesFile,
    "identity.yaml": IdentityFile,
}
