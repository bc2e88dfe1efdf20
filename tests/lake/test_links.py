"""Provisional links never join, stand once a pair, expire, and are settled by log-ins alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection

import stamgast_lake.evidence as evidence_module
import stamgast_lake.links.settle as module
from stamgast.identity.links import LinkKind
from stamgast.moments import moment_of
from stamgast_lake.catalogue import Commit
from stamgast_lake.links.settle import settle
from stamgast_lake.links.store import Statement, expire, store
from stamgast_lake.query import LakeSession
from stamgast_lake.runs import Run
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import CONSTRAINTS, LINKS
from tests.lake.world import KEYRING, NOON_MS, SETTINGS, World, resolve

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def key(namespace: str, value: str) -> str:
    return KEYRING.identifier_key(namespace, value)


TABLET, PHONE = sorted((key("d", "tablet"), key("d", "phone")))


@dataclass
class Links:
    """A world with runs of links beside those of the loop."""

    engine: DuckDBPyConnection
    world: World = field(default_factory=World)
    number: int = 0

    def seen(self, device: str, user: str | None = None, at_ms: int = NOON_MS, **more: Any) -> None:
        """One page view on a device, with the user who is logged in."""
        self.number += 1
        told = {"userId": user} if user else {}
        event = {
            "type": "page",
            "messageId": f"m{self.number}",
            "anonymousId": device,
            **told,
            **more,
        }
        told = {"request_id": f"r{self.number}", "received_ms": at_ms}
        self.world.send({**event, "timestamp": at_ms}, **told)

    def loop(self, at_ms: int = NOON_MS) -> None:
        self.world.run(stages=(resolve,), moment_ms=at_ms)

    def run(
        self,
        at_ms: int,
        rows: Sequence[tuple[str, str, float]] | None = None,
        *,
        version: str = "1",
        days: int = 30,
        run_id: str | None = None,
    ) -> dict[str, Any]:
        """One run of links: settle, state, expire."""
        run = Run(run_id or f"links-{at_ms}", 1, moment_of(at_ms))
        lake = self.world.lake
        figures = dict(settle(self.engine, lake, run, SETTINGS))
        if rows is not None:
            columns: Any = list(zip(*rows, strict=True)) or [(), (), ()]
            stated = pa.table(
                {
                    "a": pa.array(columns[0], pa.string()),
                    "b": pa.array(columns[1], pa.string()),
                    "probability": pa.array(columns[2], pa.float64()),
                    "reasons": pa.array(['{"shared": 1.5}'] * len(rows), pa.string()),
                }
            )
            self.engine.register("stated_rows", stated)
            until = moment_of(at_ms) + timedelta(days=days)
            told = Statement(LinkKind.DEVICE, version, until)
            figures |= store(self.engine, lake, run, told, "stated_rows")
        figures["expired"] = expire(self.engine, lake, run)
        return figures

    def view(self, name: str) -> list[dict[str, Any]]:
        opened = LakeSession(self.engine, self.world.catalogue, None, "")  # type: ignore[arg-type]
        return opened.rows(f"select * from {name} order by kind, a, b")

    def cut(self, a: str, b: str, at_ms: int, lifted: bool = False) -> None:
        row = {
            "kind": "cannot_link",
            "a": a,
            "b": b,
            "recorded_at": moment_of(at_ms),
            "by": "somebody",
            "reason": "asked",
            "lifted_at": moment_of(at_ms) if lifted else None,
            "run_id": f"cut-{at_ms}",
        }
        rows = pa.Table.from_pylist([row], schema=arrow_schema(CONSTRAINTS)).to_reader()
        self.world.catalogue.append(CONSTRAINTS, rows, Commit(row["run_id"], "cut"))


@pytest.fixture
def links(engine: DuckDBPyConnection) -> Links:
    return Links(engine)


def two_devices(links: Links) -> None:
    links.seen("phone", "ann")
    links.seen("tablet")
    links.loop()


def test_a_link_joins_nobody_however_probable(links: Links) -> None:
    two_devices(links)
    before = links.world.persons()
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 1.0)])
    links.seen("tablet", at_ms=NOON_MS + 2 * HOUR_MS)
    links.loop(NOON_MS + 3 * HOUR_MS)
    assert links.world.persons() == before
    assert [row["probability"] for row in links.view("links_current")] == [1.0]


def test_links_that_stand_in_the_evidence_would_join_if_the_resolver_read_them(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant of law 5: evidence is read with its statistical rows."""
    broken = evidence_module.DETERMINISTIC.replace("where probability is null", "")
    assert broken != evidence_module.DETERMINISTIC
    monkeypatch.setattr(evidence_module, "DETERMINISTIC", broken)
    loose = evidence_module.FRESH_DETERMINISTIC.replace("where probability is null and", "where")
    monkeypatch.setattr(evidence_module, "FRESH_DETERMINISTIC", loose)
    two_devices(links)
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 1.0)])
    links.seen("tablet", at_ms=NOON_MS + 2 * HOUR_MS)
    links.loop(NOON_MS + 3 * HOUR_MS)
    [ann] = {p for p, keys in _persons(links).items() if PHONE in keys}
    assert TABLET in _persons(links)[ann]


def _persons(links: Links) -> dict[str, set[str]]:
    opened = LakeSession(links.engine, links.world.catalogue, None, "")  # type: ignore[arg-type]
    found: dict[str, set[str]] = {}
    for row in opened.rows("select identifier, person_id from identity_current"):
        found.setdefault(row["person_id"], set()).add(row["identifier"])
    return found


def test_one_link_stands_for_a_pair_and_a_newer_model_replaces_it(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS + HOUR_MS, [(TABLET, PHONE, 0.7), (PHONE, TABLET, 0.6)])
    links.run(NOON_MS + 2 * HOUR_MS, [(PHONE, TABLET, 0.9)], version="2")
    [link] = links.view("links_current")
    assert (link["a"], link["b"]) == (min(PHONE, TABLET), max(PHONE, TABLET))
    assert (link["probability"], link["rule"]) == (0.9, "device:2")
    assert link["stated_at"] == moment_of(NOON_MS + HOUR_MS)
    assert json.loads(link["reasons"]) == {"shared": 1.5}


def test_stating_the_same_again_writes_nothing_until_half_its_life_is_over(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 0.7)])
    again = links.run(NOON_MS + DAY_MS, [(PHONE, TABLET, 0.702)])
    late = links.run(NOON_MS + 16 * DAY_MS, [(PHONE, TABLET, 0.702)])
    assert (again["stated"], again["written"], late["written"]) == (1, 0, 1)


def test_a_run_that_is_repeated_writes_nothing_more(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 0.7)], run_id="one")
    rows = links.world.catalogue.rows(LINKS)
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 0.7)], run_id="one")
    assert links.world.catalogue.rows(LINKS) == rows


def test_a_link_that_nobody_states_any_more_expires(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS, [(PHONE, TABLET, 0.7)], days=1)
    assert links.run(NOON_MS + DAY_MS - 1)["expired"] == 0
    assert links.run(NOON_MS + DAY_MS)["expired"] == 1
    assert links.view("links_current") == []


def test_the_view_shows_no_link_past_its_time_though_no_run_of_links_came(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS, [(PHONE, TABLET, 0.7)], days=1)
    links.loop(NOON_MS + 2 * DAY_MS)
    assert links.view("links_current") == []


def test_what_a_model_no_longer_states_is_withdrawn(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS, [(PHONE, TABLET, 0.7)])
    assert links.run(NOON_MS + HOUR_MS, [])["withdrawn"] == 1
    assert links.view("links_current") == []


def test_a_log_in_on_the_other_device_confirms_and_says_by_which_message(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 0.7)])
    links.seen("tablet", "ann", NOON_MS + 2 * HOUR_MS)
    links.seen("tablet", "ann", NOON_MS + 3 * HOUR_MS)
    links.loop(NOON_MS + 4 * HOUR_MS)
    figures = links.run(NOON_MS + 5 * HOUR_MS, [(PHONE, TABLET, 0.99)])
    [link] = links.view("links_settled")
    assert (figures["confirmed"], figures["stated"]) == (1, 0)
    assert (link["state"], link["probability"]) == ("confirmed", 0.7)
    assert link["settled_by"] == KEYRING.message_key("web", "m3")
    assert link["settled_at"] == moment_of(NOON_MS + 2 * HOUR_MS)
    assert links.view("links_current") == []


def test_a_log_in_of_somebody_else_refutes_and_no_model_states_the_pair_again(
    links: Links,
) -> None:
    two_devices(links)
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 0.7)])
    links.seen("tablet", "bob", NOON_MS + 2 * HOUR_MS)
    links.loop(NOON_MS + 4 * HOUR_MS)
    links.run(NOON_MS + 5 * HOUR_MS, [(PHONE, TABLET, 0.99)], version="2")
    [link] = links.view("links_settled")
    assert link["state"] == "refuted"
    assert link["settled_by"] == KEYRING.message_key("web", "m3")
    assert links.view("links_current") == []


def test_a_cut_refutes_and_lifting_it_lets_the_link_stand_again(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 0.7)])
    links.cut(key("u", "ann"), key("d", "tablet"), NOON_MS + 2)
    assert links.run(NOON_MS + 2 * HOUR_MS)["refuted"] == 1
    assert links.view("links_settled")[0]["settled_by"] is None
    links.cut(key("u", "ann"), key("d", "tablet"), NOON_MS + 3 * HOUR_MS, lifted=True)
    links.run(NOON_MS + 4 * HOUR_MS)
    assert [row["state"] for row in links.view("links_current")] == ["standing"]


def test_two_persons_that_become_one_turn_a_refutation_into_a_confirmation(links: Links) -> None:
    two_devices(links)
    links.run(NOON_MS + HOUR_MS, [(PHONE, TABLET, 0.7)])
    links.seen("tablet", "bob", NOON_MS + 2 * HOUR_MS)
    links.loop(NOON_MS + 3 * HOUR_MS)
    links.run(NOON_MS + 4 * HOUR_MS)
    ours = {"properties": {"email": "both@example.com"}}
    links.seen("phone", "ann", NOON_MS + 5 * HOUR_MS, **ours)
    links.seen("tablet", "bob", NOON_MS + 5 * HOUR_MS, **ours)
    links.loop(NOON_MS + 6 * HOUR_MS)
    assert links.run(NOON_MS + 7 * HOUR_MS) == {"confirmed": 1, "refuted": 0, "expired": 0}


LATER = (("tablet", "ann", 2), ("watch", "bob", 3), ("phone", "ann", 4), ("watch", "bob", 5))


def settled_after(
    engine: DuckDBPyConnection, order: Sequence[int], batches: Sequence[int]
) -> list[Mapping[str, Any]]:
    """What is settled when log-ins are processed in this order, with runs in between."""
    links = Links(engine)
    two_devices(links)
    links.seen("watch")
    links.loop()
    pairs = [
        (PHONE, TABLET, 0.7),
        (PHONE, key("d", "watch"), 0.6),
        (TABLET, key("d", "watch"), 0.5),
    ]
    links.run(NOON_MS + HOUR_MS, pairs)
    for place, one in enumerate(order):
        device, user, hours = LATER[one]
        links.number = 10 + one
        links.seen(device, user, NOON_MS + hours * HOUR_MS)
        if place in batches:
            links.loop(NOON_MS + (6 + place) * HOUR_MS)
            links.run(NOON_MS + (6 + place) * HOUR_MS + 1)
    links.loop(NOON_MS + 20 * HOUR_MS)
    links.run(NOON_MS + 21 * HOUR_MS)
    shown = ("kind", "a", "b", "state", "settled_at", "settled_by", "probability")
    return [{name: row[name] for name in shown} for row in links.view("links_settled")]


def is_differing(engine: DuckDBPyConnection) -> bool:
    first = settled_after(engine, (0, 1, 2, 3), ())
    assert {row["state"] for row in first} == {"confirmed", "refuted"}
    return settled_after(engine, (3, 0, 2, 1), (1,)) != first


def test_the_order_in_which_log_ins_are_processed_changes_no_verdict(
    engine: DuckDBPyConnection,
) -> None:
    assert not is_differing(engine)


@pytest.mark.deep
def test_verdicts_of_the_moment_of_processing_are_found_out(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: a link is settled when a run finds out, not when the message came."""
    broken = module.SETTLED.replace("to_timestamp(told.settled_ms / 1000)", "{moment}")
    assert broken != module.SETTLED
    monkeypatch.setattr(module, "SETTLED", broken)
    assert is_differing(engine)
