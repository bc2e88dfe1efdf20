"""The shape of `consent.yaml`: purposes, what they cover, and what is never to be stored."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from stamgast.consent.purposes import Use
from stamgast.consent.words import LONGEST_PURPOSE, MOST_PURPOSES
from stamgast.workspace.schema import Part

PurposeName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,59}$")]
WITH_PARTS = (Use.FIELDS, Use.SEGMENTS, Use.MODELS)
MARKED = ("properties", "traits", "context")


def _a_use(text: str) -> str:
    use, dot, what = text.partition(".")
    if use not in set(Use):
        raise ValueError(f"{use!r} is no use; known are {', '.join(Use)}")
    if dot and (use not in WITH_PARTS or not what):
        raise ValueError(
            f"{text!r}: only {', '.join(WITH_PARTS)} have parts, such as fields.traits.email"
        )
    return text


def _a_property(path: str) -> str:
    root, dot, rest = path.partition(".")
    if root not in MARKED or not dot or not all(rest.split(".")):
        raise ValueError(f"{path!r} is no property; it begins with {' or '.join(MARKED)}")
    return path


Cover = Annotated[str, AfterValidator(_a_use)]
Property = Annotated[str, AfterValidator(_a_property)]
Category = Annotated[str, Field(min_length=1, max_length=LONGEST_PURPOSE, pattern=r"^[^$]")]
SignalName = Literal["gpc", "dnt"]


class PurposePart(Part):
    """One purpose: on which basis, what it covers, and who may say no to it."""

    legal_basis: Literal[
        "consent",
        "contract",
        "legal_obligation",
        "vital_interests",
        "public_task",
        "legitimate_interests",
    ]
    covers: Annotated[list[Cover], Field(min_length=1, max_length=100)]
    default: Literal["denied", "granted"] = "denied"
    categories: list[Category] = Field(default_factory=list, max_length=20)
    refused_by: list[SignalName] = Field(default_factory=lambda: list[SignalName](("gpc",)))
    least_assurance: Literal["anonymous", "claimed", "verified"] = "anonymous"
    title: str = ""
    description: str = ""


class NeverStoredPart(Part):
    """Properties that are taken out, or replaced by a keyed hash, before anything is kept."""

    drop: list[Property] = Field(default_factory=list, max_length=200)
    hash: list[Property] = Field(default_factory=list, max_length=200)


class ConsentFile(Part):
    """`consent.yaml`; with `purpose_required` no token reads a person without naming a purpose."""

    purposes: dict[PurposeName, PurposePart] = Field(default_factory=dict, max_length=MOST_PURPOSES)
    purpose_required: bool = False
    never_stored: NeverStoredPart = NeverStoredPart()


CONSENT_FILES: dict[str, type[Part]] = {"consent.yaml": ConsentFile}
