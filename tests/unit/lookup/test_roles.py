"""Roles hold what their table in the docs says, and can be narrowed and never widened."""

import re
from pathlib import Path

import pytest

from stamgast.lookup.reader import EVERYTHING, Action, covers
from stamgast.lookup.roles import GRANTS, BeyondRoleError, Role, Scope, scope_of

PAGE = Path(__file__).parents[3] / "docs" / "lookup.md"
ROW = re.compile(r"^\| `([\w-]+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.M)
NAMES = re.compile(r"`([^`]+)`")
PURPOSES = {Role.MARKETER: ("email",)}


def scope(role: Role) -> Scope:
    return scope_of(role, Scope(purposes=PURPOSES.get(role, ())))


def told() -> dict[str, tuple[set[str], set[str], set[str], bool]]:
    rows = ROW.findall(PAGE.read_text("utf-8").split("## Roles")[1].split("\n## ")[0])
    return {
        name: (
            set(NAMES.findall(fields)),
            set(NAMES.findall(namespaces)),
            set(NAMES.findall(may)),
            purposes != "unbound",
        )
        for name, fields, namespaces, may, purposes in rows
    }


@pytest.mark.parametrize("role", Role)
def test_no_role_holds_more_than_its_table_says(role: Role) -> None:
    held, grant = scope(role), GRANTS[role]
    fields, namespaces, may, is_bound = told()[role]
    assert (set(held.fields), set(held.namespaces), set(held.may)) == (fields, namespaces, may)
    assert grant.is_bound == is_bound


def test_the_table_lists_every_role() -> None:
    assert set(told()) == set(Role)


@pytest.mark.parametrize("role", Role)
def test_a_role_can_be_narrowed_and_never_widened(role: Role) -> None:
    grant, purposes = GRANTS[role], PURPOSES.get(role, ())
    narrow = Scope(grant.fields[:1], grant.namespaces[:1], grant.may[:1], purposes)
    held = scope_of(role, narrow)
    assert (held.fields, held.may) == (grant.fields[:1], grant.may[:1])
    for action in set(Action) - set(grant.may):
        with pytest.raises(BeyondRoleError, match=action):
            scope_of(role, Scope(may=(action,), purposes=purposes))
    for field in (EVERYTHING, "timeline", "identifiers.email", "traits.email"):
        if not covers(grant.fields, field):
            with pytest.raises(BeyondRoleError, match="fields"):
                scope_of(role, Scope(fields=(field,), purposes=purposes))


def test_only_the_privacy_officer_erases_and_only_the_marketer_exports() -> None:
    def who(action: Action) -> set[Role]:
        return {role for role in Role if action in GRANTS[role].may}

    assert who(Action.CARRY_OUT_RIGHTS) == {Role.PRIVACY_OFFICER}
    assert who(Action.EXPORT_SEGMENTS) == {Role.MARKETER}


def test_an_analyst_looks_nobody_up() -> None:
    assert scope(Role.ANALYST).namespaces == ()
    with pytest.raises(BeyondRoleError):
        scope_of(Role.ANALYST, Scope(namespaces=("email",)))


def test_a_marketer_names_the_purposes() -> None:
    with pytest.raises(BeyondRoleError, match="purposes"):
        scope_of(Role.MARKETER, Scope())
