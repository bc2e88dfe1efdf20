"""Profiles and timelines of a past moment, read from the lake on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from stamgast.identity.identifiers import Identifier
from stamgast.lookup.explain_api import moment_in
from stamgast.lookup.faults import Fault
from stamgast_cli.deployment import Deployment
from stamgast_cli.errors import InputError
from stamgast_cli.previews import lake_of
from stamgast_lake.explain import Past, past_of
from stamgast_lake.past_profile import profile_then, timeline_then


def profile_of(deployment: Deployment, who: Identifier, as_of: str | None) -> dict[str, Any]:
    """The profile as it was known then, or by the last run, each trait with its source."""
    with _past(deployment, as_of) as (past, lake):
        key = lake.keyring().identifier_key(who.namespace, who.value)
        return _known(profile_then(past, key))


def timeline_of(
    deployment: Deployment, who: Identifier, as_of: str | None, limit: int
) -> dict[str, Any]:
    """The newest events that had come by then of the person as it was then."""
    with _past(deployment, as_of) as (past, lake):
        key = lake.keyring().identifier_key(who.namespace, who.value)
        return _known(timeline_then(past, key, limit))


@contextmanager
def _past(deployment: Deployment, as_of: str | None) -> Iterator[tuple[Past, Any]]:
    lake = lake_of(deployment)
    now = datetime.now(UTC)
    moment = now if as_of is None else moment_in(as_of, lake.workspace().time_zone, now)
    if isinstance(moment, Fault):
        raise InputError(moment.message)
    with past_of(lake, moment) as past:
        yield past, lake


def _known(told: dict[str, Any] | None) -> dict[str, Any]:
    if told is None:
        raise InputError(
            "no run had seen this identifier by then", hint="Events wait for `stamgast run`."
        )
    return told
