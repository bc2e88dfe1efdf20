"""`consent.yaml` is compiled with the rest; each mistake is told with its file, line and place."""

from pathlib import Path

import pytest

from stamgast.consent.purposes import Use
from stamgast.identity.assurance import Assurance
from stamgast.workspace.compiler import WorkspaceError, compile_files
from stamgast.workspace.differences import identity_differences
from stamgast.workspace.model import Workspace, workspace_of

SOURCES = "sources: {web: {name: Web}}"
EXAMPLE = Path(__file__).parents[3] / "workspace"
EMAIL = """purposes:
  email:
    legal_basis: consent
    covers: [lookup, fields.traits, segments.late, exports]
    categories: [Email]
    least_assurance: claimed
"""


def compiled(consent: str, **files: str) -> Workspace:
    texts = {"sources.yaml": SOURCES, "consent.yaml": consent}
    return workspace_of(compile_files(texts | {f"{name}.yaml": t for name, t in files.items()}))


def faults(consent: str, **files: str) -> list[str]:
    with pytest.raises(WorkspaceError) as caught:
        compiled(consent, **files)
    return [str(fault) for fault in caught.value.faults]


LATE = "segments: {late: {rule: orders.count > 1, purpose: email}}"


def test_purposes_are_read_with_their_defaults() -> None:
    purposes = compiled(EMAIL, segments=LATE).consents
    email = purposes.by_name["email"]
    assert (email.is_default_granted, email.refused_by) == (False, ("gpc",))
    assert email.least_assurance is Assurance.CLAIMED
    assert purposes.meant_by("Email") == purposes.meant_by("email") == ("email",)
    assert email.allows(Use.SEGMENTS, "late")
    assert not email.allows(Use.SEGMENTS, "early")
    assert email.allows(Use.FIELDS, "traits.city")
    assert not email.allows(Use.FIELDS, "segments")
    assert not email.allows(Use.EVENTS)


def test_a_workspace_without_the_file_declares_no_purpose() -> None:
    purposes = workspace_of(compile_files({"sources.yaml": SOURCES})).consents
    assert not purposes.is_declared
    assert purposes.of("anything") is not None


@pytest.mark.parametrize(
    ("consent", "files", "expected"),
    [
        (
            "purposes:\n  email:\n    covers: [lookup]\n",
            {},
            "consent.yaml:2: purposes.email.legal_basis: Field required",
        ),
        (
            "purposes:\n  email:\n    legal_basis: consent\n",
            {},
            "consent.yaml:2: purposes.email.covers: Field required",
        ),
        (
            "purposes:\n  email:\n    legal_basis: consent\n    covers:\n      - lookpu\n",
            {},
            (
                "consent.yaml:5: purposes.email.covers.0: 'lookpu' is no use; known are fields, "
                "lookup, segments, models, links, exports, events"
            ),
        ),
        (
            EMAIL,
            {"segments": "segments: {early: {rule: orders.count > 1}}"},
            "consent.yaml:4: purposes.email.covers.2: no segment is named 'late'; known are early",
        ),
        (
            EMAIL,
            {"segments": LATE.replace("email", "emial")},
            (
                "segments.yaml:1: segments.late.purpose: no purpose is named 'emial'; "
                "did you mean `email`?"
            ),
        ),
        (
            "never_stored:\n  drop:\n    - card_number\n",
            {},
            (
                "consent.yaml:3: never_stored.drop.0: 'card_number' is no property; it begins with "
                "properties or traits or context"
            ),
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(
    consent: str, files: dict[str, str], expected: str
) -> None:
    assert expected in faults(consent, **files)


def test_the_worked_example_has_every_kind_of_purpose() -> None:
    texts = {path.name: path.read_text("utf-8") for path in EXAMPLE.glob("*.yaml")}
    workspace = workspace_of(compile_files(texts))
    purposes = workspace.consents.by_name
    assert {"service", "email", "advertising", "profiling"} <= purposes.keys()
    assert workspace.never_stored["drop"]
    covered = {use for use in Use for one in purposes.values() if one.allows(use)}
    assert covered == set(Use)


def test_a_plan_tells_which_purpose_changed() -> None:
    before = compiled(EMAIL, segments=LATE).identity
    after = compiled(EMAIL.replace("claimed", "verified"), segments=LATE).identity
    (difference,) = identity_differences(before, after)
    assert difference.place == "purposes.email"
    assert not difference.is_shown
