"""A person explained from rows is the person that the live view explained at that moment."""

from random import Random
from typing import Any

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Reason
from stamgast.identity.explain import effects
from stamgast.identity.explain.answer import Telling, explanation_of
from stamgast.identity.explain.case import Case
from stamgast.identity.explain.effects import effect_of
from stamgast.identity.explain.live import live_case
from stamgast.moments import iso_of, moment_of
from stamgast_lake import explain
from stamgast_lake.explain import case_as_of, last_run, past_of, with_details
from tests.lake.test_cuts import Operators, key_of
from tests.lake.test_laws import history
from tests.lake.thorough import seeds
from tests.lake.world import SETTINGS, World, publish, resolve

HOUR_MS = 3_600_000
IDENTITY_ALONE = (resolve, publish)


def told(case: Case) -> dict[str, Any]:
    """What both ways of explaining must say alike."""
    answer = explanation_of(case, Telling(SETTINGS, {}, lambda _: True, 50))
    evidence = [
        {name: edge[name] for name in ("a", "b", "message", "assurance", "in_tree", "is_bridge")}
        for edge in answer["evidence"]
    ]
    refused = [(one["a"]["key"], one["b"]["key"], one["reason"]) for one in answer["refused"]]
    return {
        **{name: answer[name] for name in ("person_id", "born_at", "is_settled", "cuts")},
        "identifiers": [one["key"] for one in answer["identifiers"]],
        "evidence": evidence,
        "refused": set(refused),
        "weakest": answer["weakest"] and answer["weakest"]["message"],
        "off": [one["key"] for one in answer["off"]],
    }


def live_now(world: World) -> dict[str, dict[str, Any]]:
    """Every person as the live view explains it, under its smallest identifier."""
    found = {}
    for members in world.persons().values():
        case = live_case(world.identity, min(members), SETTINGS, lambda _: None)
        assert case is not None
        found[min(members)] = told(case)
    return found


def live_through(seed: int) -> tuple[World, list[tuple[int, dict[str, dict[str, Any]]]]]:
    world, rng, seen = World(), Random(seed), []
    operated = Random(f"{seed}/operated")
    sent = history(rng)
    rng.shuffle(sent)
    while sent:
        world.now_ms += HOUR_MS
        for _ in range(min(len(sent), rng.randrange(4, 12))):
            one = sent.pop()
            told = {"received_ms": world.now_ms - 1, "assurance": one.assurance}
            world.send(one.body, request_id=f"q{len(sent)}", **told)
        leave(world, operated)
        world.run(IDENTITY_ALONE)
        seen.append((world.now_ms, live_now(world)))
    return world, seen


def leave(world: World, rng: Random) -> None:
    """Perhaps an operator lets some of a person leave."""
    persons = sorted(map(sorted, world.persons().values()))
    if rng.random() < 0.4:
        operators, keys = Operators(world), rng.choice(persons)
        operators.now_ms = world.now_ms - 1
        operators.leave(rng.sample(keys, rng.randint(1, len(keys))))


def agrees(live: dict[str, Any], past: dict[str, Any]) -> bool:
    """Of a value that is off the live view remembers few neighbours, the lake all of them.

    So it may know fewer refusals and values that are off, and not all that a run makes of a cut.
    """
    fewer = {"refused", "off"}
    rest = live.keys() - fewer - {"cuts"}
    return (
        all(live[name] == past.get(name) for name in rest)
        and all(set(live[name]) <= set(past[name]) for name in fewer)
        and at_once(live) == at_once(past)
    )


def at_once(told: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(cut["a"], cut["b"], cut["persons"]) for cut in told.get("cuts", ())]


def differences(seed: int) -> list[tuple[int, str, Any, Any]]:
    world, seen = live_through(seed)
    wrong = []
    for at_ms, then in seen:
        with past_of(world.lake, moment_of(at_ms)) as past:
            for key, live in then.items():
                case = case_as_of(past, world.lake, key)
                found = told(case) if case else {}
                if not agrees(live, found):
                    wrong.append((at_ms, key, live, found))
    return wrong


@pytest.mark.parametrize("seed", seeds([0], range(1, 30)))
def test_the_past_explains_as_the_live_view_did_then(seed: int) -> None:
    assert differences(seed) == []


@pytest.mark.deep
def test_evidence_of_later_runs_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        explain, "TOLD", explain.TOLD.replace("evidence_as_of('{moment}')", "evidence")
    )
    assert differences(0)


# what operators cut


def named(world: World, key: str) -> str:
    pointer = world.identity.read_pointers([key])[key]
    return f"{pointer.namespace}:{pointer.value}"


def wrong_effects(seeds: range) -> list[int]:
    """Where an operator's cut did not what the explanation said beforehand."""
    wrong = []
    for seed in seeds:
        world = World()
        for number, one in enumerate(history(Random(seed))):
            told = {"received_ms": one.received_ms, "assurance": one.assurance}
            world.send({**one.body, "messageId": f"n{number}"}, request_id=f"q{number}", **told)
        key = min(max(world.persons().values(), key=lambda keys: (len(keys), min(keys))))
        case = live_case(world.identity, key, SETTINGS, lambda _: None)
        assert case is not None
        for pair in sorted(case.active)[:1]:
            effect = effect_of(case, pair, SETTINGS)
            Operators(world).cut(*(named(world, end) for end in pair))
            said = {part.person_id: frozenset(part.identifiers) for part in effect.parts}
            found = {p: keys for p, keys in world.persons().items() if p in said}
            wrong += [seed] if found != said else []
    return wrong


def test_an_operators_cut_does_what_the_explanation_said() -> None:
    assert wrong_effects(range(12)) == []


@pytest.mark.deep
def test_many_cuts_do_what_the_explanation_said() -> None:
    assert wrong_effects(range(12, 400)) == []


def test_an_effect_without_the_cut_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "with_cuts", lambda found, *_: found)
    assert wrong_effects(range(12))


def test_the_past_tells_who_cut_when_and_why_and_nothing_before_it() -> None:
    world = World()
    body = {"type": "identify", "userId": "a", "anonymousId": "d", "messageId": "1"}
    world.send(body)
    world.run(IDENTITY_ALONE)
    before, key = world.now_ms, min(next(iter(world.persons().values())))
    world.now_ms += HOUR_MS
    operators = Operators(world)
    operators.now_ms = world.now_ms - 10
    operators.cut("u:a", "d:d")
    world.run(IDENTITY_ALONE)
    with past_of(world.lake, moment_of(world.now_ms)) as past:
        case = case_as_of(past, world.lake, key)
        assert case is not None
        [cut] = case.cannot_links
        assert (cut.by, cut.reason) == ("privacy-desk", "two customers")
        assert [edge.why for edge in case.apart] == [Reason.CANNOT_LINK]
        assert case.members == {key}
    with past_of(world.lake, moment_of(before)) as past:
        case = case_as_of(past, world.lake, key)
        assert case is not None
        assert (len(case.members), case.cannot_links) == (2, ())


def cut_from_a_shared_device() -> tuple[set[Any], set[Any]]:
    """What is refused of whom an operator cut from a device that is off, live and by rows."""
    world = World()
    for user in "abc":
        body = {"type": "identify", "userId": user, "anonymousId": "d", "messageId": user}
        world.send(body, request_id=user, assurance=Assurance.VERIFIED)
    Operators(world).cut("u:a", "d:d")
    world.now_ms += HOUR_MS
    world.run(IDENTITY_ALONE)
    key = key_of("u:a")
    live = live_case(world.identity, key, SETTINGS, lambda _: None)
    with past_of(world.lake, moment_of(world.now_ms)) as past:
        rows = case_as_of(past, world.lake, key)
    assert live is not None
    assert rows is not None
    return told(live)["refused"], told(rows)["refused"]


def test_a_link_that_was_cut_is_told_so_where_a_limit_refuses_it_as_well() -> None:
    live, rows = cut_from_a_shared_device()
    assert live == rows == {(key_of("u:a"), key_of("d:d"), "cannot_link")}


@pytest.mark.deep
def test_rows_that_tell_of_the_limit_alone_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "_cut", lambda *_: set())
    live, rows = cut_from_a_shared_device()
    assert live != rows


def test_the_live_case_tells_what_rows_alone_know() -> None:
    world = World()
    for number in range(3):
        body = {"type": "identify", "userId": "a", "anonymousId": "d", "messageId": str(number)}
        world.send(body, request_id=f"r{number}")
    world.run(IDENTITY_ALONE)
    case = live_case(world.identity, min(next(iter(world.persons().values()))), SETTINGS, print)
    assert case is not None
    with past_of(world.lake, moment_of(world.now_ms)) as past:
        [supports] = with_details(past, case, SETTINGS).supports.values()
        assert len(supports) == 3
        assert last_run(past) == {"run_id": "r0001", "moment": iso_of(world.now_ms)}
