"""Roles: what a marketer, an analyst, an operator and a privacy officer may do, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from stamgast.lookup.reader import COUNTABLE, EVERYTHING, Action, covers

# A role's token ends; who still needs it rotates it.
ROLE_DAYS = 90


class Role(StrEnum):
    """Who works with people's data, each at one thing."""

    MARKETER = "marketer"
    ANALYST = "analyst"
    OPERATOR = "operator"
    PRIVACY_OFFICER = "privacy-officer"


@dataclass(frozen=True, slots=True)
class Grant:
    """The most that a role's token holds; `is_bound`: it reads for purposes, named by its maker."""

    fields: tuple[str, ...]
    namespaces: tuple[str, ...]
    may: tuple[Action, ...]
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is asked for; an empty part takes the role's own."""

    fields: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    may: Sequence[str] = ()
    purposes: Sequence[str] = ()


class BeyondRoleError(ValueError):
    """More was asked for than the role holds, or less than it needs."""


BEHAVIOUR = ("segments", "rfm", "computed", "activity", "orders", "last_seen_at")
GRANTS = {
    # Reaches people for purposes: sees what they are like, and exports those who consented.
    Role.MARKETER: Grant(
        (*BEHAVIOUR, COUNTABLE, "traits", "scores", "consents"),
        (EVERYTHING,),
        (Action.PREVIEW_SEGMENTS, Action.EXPORT_SEGMENTS),
        is_bound=True,
    ),
    # Counts people: looks nobody up, and of a sample sees behaviour without a name.
    Role.ANALYST: Grant((*BEHAVIOUR, COUNTABLE, "scores"), (), (Action.PREVIEW_SEGMENTS,)),
    # Mends persons: sees why somebody is one, values masked, and cuts; no trait, no export.
    Role.OPERATOR: Grant(
        BEHAVIOUR,
        (EVERYTHING,),
        (Action.CHANGE_IDENTITY, Action.EXPLAIN_IDENTITY, Action.EXPLAIN_SEGMENTS),
    ),
    # Answers to persons: sees all of them and carries out what they ask; exports no segment.
    Role.PRIVACY_OFFICER: Grant(
        (EVERYTHING,),
        (EVERYTHING,),
        (
            Action.CARRY_OUT_RIGHTS,
            Action.CHANGE_IDENTITY,
            Action.EXPLAIN_IDENTITY,
            Action.EXPLAIN_SEGMENTS,
        ),
    ),
}


def scope_of(role: Role, asked: Scope) -> Scope:
    """The scope of a role's token: the role's own, or the part of it that was asked for.

    Raises BeyondRoleError where more is asked for, and where a role that is bound to purposes is
    given none.
    """
    grant = GRANTS[role]
    _check(role, "fields", [one for one in asked.fields if not covers(grant.fields, one)])
    _check(role, "namespaces", [o for o in asked.namespaces if not covers(grant.namespaces, o)])
    _check(role, "actions", [one for one in asked.may if one not in grant.may])
    if grant.is_bound and not asked.purposes:
        raise BeyondRoleError(f"the role {role} reads for purposes alone, and none was named")
    return Scope(
        asked.fields or grant.fields,
        asked.namespaces or grant.namespaces,
        asked.may or grant.may,
        asked.purposes,
    )


def _check(role: Role, what: str, beyond: Sequence[str]) -> None:
    if beyond:
        raise BeyondRoleError(f"the role {role} does not hold these {what}: {', '.join(beyond)}")
