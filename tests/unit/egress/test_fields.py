"""Which fields there are, and which of them a reader's scope covers."""

import pytest

from stamgast.egress.fields import Field, Form, Of, UnknownFieldError, field_of
from stamgast.identity.settings import DEFAULT
from stamgast.lookup.reader import Reader
from stamgast.segments.definitions import ComputedTrait, Making
from stamgast.segments.language.tree import Type

TRAITS = (ComputedTrait("usual_interval", Making.USUAL_INTERVAL, Type.NUMBER, "1"),)


def named(name: str) -> Field:
    return field_of(name, DEFAULT, TRAITS)


def test_a_field_is_a_trait_by_its_path_an_identifier_or_a_known_column() -> None:
    assert named("traits.address.city") == Field(
        "traits.address.city", Of.TRAIT, ("address", "city")
    )
    assert named("identifiers.email").of is Of.IDENTIFIER
    assert named("computed.usual_interval").of is Of.COMPUTED
    assert named("orders.count").form is Form.WHOLE


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("email", "did you mean `traits.email`?"),
        ("orders.cuont", "did you mean `orders.count`?"),
        ("identifiers.emial", "did you mean `identifiers.email`?"),
        ("computed.usual", "did you mean `computed.usual_interval`?"),
        ("traits.", "there is no field"),
        ("traits.a\nb", "there is no field"),
        ("*", "there is no field"),
    ],
)
def test_a_name_that_is_no_field_is_refused_with_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(UnknownFieldError) as error:
        named(name)
    assert hint in str(error.value)


@pytest.mark.failure_line(39)
def test_a_scope_covers_its_fields_and_no_others() -> None:
    """Line 39: a token of one scope exports no field of another."""
    reader = Reader("mail", ("traits.email", "rfm"), ("email",))
    seen = ("traits.email", "rfm.segment", "person_id", "as_of")
    unseen = ("traits.phone", "traits.emails", "identifiers.email", "orders.count", "first_at")
    assert [name for name in seen if not named(name).is_seen_by(reader)] == []
    assert [name for name in unseen if named(name).is_seen_by(reader)] == []


def test_an_identifier_needs_its_namespace_as_well() -> None:
    reader = Reader("mail", ("*",), ("email",))
    assert named("identifiers.email").is_seen_by(reader)
    assert not named("identifiers.phone").is_seen_by(reader)
