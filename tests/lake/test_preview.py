"""What `stamgast plan` says of persons is the difference of two full runs under both settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from random import Random

import pytest

from stamgast.identity.settings import IdentitySettings, Namespace
from stamgast.workspace.differences import (
    NAMESPACE_REACH,
    REACH,
    Reach,
    identity_differences,
)
from stamgast_lake.preview import Preview, preview
from tests.lake.test_laws import history, lake_persons
from tests.lake.thorough import seeds
from tests.lake.world import SETTINGS, World, resolve

SEEDS = range(4)


@contextmanager
def no_step(_: str) -> Iterator[None]:
    yield


def changed(rng: Random) -> IdentitySettings:
    """Other limits, and now and then another order of the namespaces."""
    limits = [replace(one, value_limit=rng.randrange(1, 5)) for one in SETTINGS.namespaces]
    if rng.random() < 0.5:
        limits[1], limits[2] = (
            replace(limits[2], priority=1),
            replace(limits[1], priority=2),
        )
    return replace(SETTINGS, namespaces=tuple(limits), person_limit=rng.randrange(2, 9))


def world_of(seed: int) -> World:
    world, rng = World(), Random(seed)
    for number, one in enumerate(history(rng) + history(Random(seed + 1000))):
        told = {"received_ms": one.received_ms, "assurance": one.assurance}
        body = {**one.body, "messageId": f"n{number}"}
        world.put_file(body, request_id=f"import-{number}", **told)
    return world


Persons = dict[str, frozenset[str]]


def persons_under(seed: int, settings: IdentitySettings) -> Persons:
    """What a platform that had those settings from its first run would say."""
    world = world_of(seed)
    world.run((resolve,))
    world.workspace = replace(world.workspace, version="2", identity=settings)
    world.run((resolve,))
    return lake_persons(world)


def splits_and_merges(before: Persons, after: Persons) -> tuple[dict[str, int], dict[str, int]]:
    """Per person that is torn, or joined, how many identifiers it has; written apart."""

    def torn(whole: Persons, parts: Persons) -> dict[str, int]:
        owner = {key: person for person, keys in parts.items() for key in keys}
        pieces = {person: {owner[key] for key in keys} for person, keys in whole.items()}
        return {person: len(whole[person]) for person, found in pieces.items() if len(found) > 1}

    return torn(before, after), torn(after, before)


def told(seed: int, settings: IdentitySettings) -> tuple[Preview, Persons]:
    world = world_of(seed)
    world.run((resolve,))
    rows = {table: len(found.files) for table, found in world.catalogue.tables.items()}
    found = preview(world.lake, SETTINGS, settings, no_step, most=1000)
    assert {table: len(found.files) for table, found in world.catalogue.tables.items()} == rows
    return found, lake_persons(world)


@pytest.mark.parametrize("seed", seeds(SEEDS, range(4, 60)))
def test_a_preview_is_the_difference_of_two_full_runs(seed: int) -> None:
    settings = changed(Random(seed))
    found, before = told(seed, settings)
    after = persons_under(seed, settings)
    splits, merges = splits_and_merges(before, after)
    assert {one.person_id: one.identifiers for one in found.splits.examples} == splits
    assert {one.person_id: one.identifiers for one in found.merges.examples} == merges
    assert (found.persons_before, found.persons_after) == (len(before), len(after))
    assert found.splits.persons == len(splits)
    sizes = [one.identifiers for one in found.splits.examples]
    assert sizes == sorted(sizes, reverse=True)


def test_the_histories_hold_splits_and_merges() -> None:
    has_split = has_merge = False
    for seed in SEEDS:
        found = told(seed, changed(Random(seed)))[0]
        has_split |= bool(found.splits.persons)
        has_merge |= bool(found.merges.persons)
        if has_split and has_merge:
            return
    pytest.fail("the law above compares nothing")


def test_a_split_names_the_limit_that_causes_it() -> None:
    world = World()
    for number, user in enumerate(("a", "b")):
        body = {"type": "identify", "userId": user, "traits": {"email": "x@y.org"}}
        world.send({**body, "messageId": str(number)}, request_id=f"r{number}")
    world.run((resolve,))
    tight = tuple(replace(one, value_limit=1) for one in SETTINGS.namespaces)
    found = preview(world.lake, SETTINGS, replace(SETTINGS, namespaces=tight), no_step)
    assert found.splits.causes == {"value_limit:e": 1}
    assert found.splits.examples[0].causes == {"value_limit:e": 2}
    back = preview(world.lake, replace(SETTINGS, namespaces=tight), SETTINGS, no_step)
    assert back.merges.causes == {"value_limit:e": 1}


def test_a_lower_person_limit_is_named_as_the_cause() -> None:
    world = World()
    body = {"type": "identify", "userId": "a", "anonymousId": "d"}
    world.send({**body, "traits": {"email": "x@y.org"}, "messageId": "1"})
    world.run((resolve,))
    found = preview(world.lake, SETTINGS, replace(SETTINGS, person_limit=2), no_step)
    assert found.splits.causes == {"person_limit": 1}


def test_every_setting_says_what_it_reaches() -> None:
    told_apart = {"namespaces", "consents", "ceiling"}
    assert {field.name for field in fields(IdentitySettings)} - told_apart == REACH.keys()
    assert {field.name for field in fields(Namespace)} - {"name"} == NAMESPACE_REACH.keys()


def test_what_only_new_events_meet_is_told_apart() -> None:
    u, e, _ = SETTINGS.namespaces
    other = replace(
        SETTINGS,
        namespaces=(replace(u, fold_case=True), replace(e, value_limit=9)),
        blocked_values=SETTINGS.blocked_values | {"nobody"},
    )
    told = {one.place: one for one in identity_differences(SETTINGS, other)}
    assert told["namespaces.u.fold_case"].reach is Reach.NEW
    assert told["namespaces.e.value_limit"].reach is Reach.ALL
    assert (told["namespaces.e.value_limit"].before, told["namespaces.e.value_limit"].after) == (
        "2",
        "9",
    )
    assert told["namespaces.d"].is_shown
    assert not told["blocked_values"].is_shown
    assert identity_differences(SETTINGS, SETTINGS) == []
