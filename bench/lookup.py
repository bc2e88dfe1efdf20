"""How long `look_up_profile` works on one request, without the time of the store.

    python bench/lookup.py [--json]

Two persons are written by the real rules into the in-process DynamoDB: a usual one (two anchors, 8
events since the last run, 10 traits) and a heavy one (four anchors with full tails of 24, 20
traits). The store's answers are recorded and replayed, so that what is measured is everything but
the store: event, token, normalisation, keys, decoding of items,
fold, scope, JSON. Beside it, in the same run: the answer's JSON alone (a floor), and a naive layout
that keeps one item an event and folds them all on each look-up. CPU time, the best of 9 rounds.
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from io import BytesIO
from time import process_time, time_ns
from typing import Any

import orjson

from functions.look_up_profile import handler as function
from stamgast.identity.assurance import Assurance
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.live import settle
from stamgast.identity.settings import DEFAULT
from stamgast.identity.star import star_of
from stamgast.lookup.reader import Reader
from stamgast.lookup.routes import Desk, respond
from stamgast.profile.facts import NOTHING, facts_of, merge
from stamgast.profile.live import Base, contribution_of
from stamgast.profile.steps import take_events
from stamgast.profile.store import Pair
from stamgast.raw.record import RawRecord
from stamgast.workspace.compiler import compile_files
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.http_api import gateway_answer, lookup_request_of
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.lookup_store import DynamoLookupStore
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.workspaces import S3WorkspaceStore
from tests.fakes.dynamodb import DynamoDB

KEYRING, TOKEN, START_MS = Keyring(1, b"bench"), "sgr_bench", 1_790_000_000_000
ROUNDS, CALLS, EVENTS = 9, 40, 200
PERSONS = {"usual": (2, 4, 10), "heavy": (4, 24, 20)}
COMPILED = compile_files({"sources.yaml": "sources: {web: {name: Web}}"})
EVENT = {
    "rawPath": "/v1/profiles/email:anne%2Bnews@example.org",
    "headers": {"authorization": f"Bearer {TOKEN}"},
    "requestContext": {"http": {"method": "GET"}},
}


class Inline:
    """An executor that does the work at once."""

    def submit(self, work: Callable[..., Any], *told: Any) -> "Future[Any]":
        """Runs the work and returns it done."""
        done: Future[Any] = Future()
        done.set_result(work(*told))
        return done


class Replay:
    """A client that answers from what it was answered before."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: dict[tuple[str, str], Any] = {}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            keys = (operation, _sign(request))
            if keys not in self._known:
                self._known[keys] = getattr(self._client, operation)(**request)
            return self._known[keys]

        return call


def _sign(request: Mapping[str, Any]) -> str:
    """Enough of a request to tell the few of one look-up apart."""
    if "RequestItems" in request:
        ((_, wanted),) = request["RequestItems"].items()
        return str(wanted["Keys"][0]["SK"]["S"])
    return str(request.get("Key", {}).get("PK", {}).get("S", "query"))


class Bucket:
    """The S3 calls of the workspace store."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def put_object(self, **told: Any) -> None:
        """Keeps an object."""
        self._objects[told["Key"]] = told["Body"]

    def head_object(self, **_: Any) -> None:
        """Every object is there."""

    def get_object(self, **told: Any) -> dict[str, Any]:
        """Returns an object."""
        return {"Body": BytesIO(self._objects[told["Key"]])}


def _event(number: int, anchors: int, traits: int) -> Any:
    told = {
        "type": "identify" if number < anchors else "track",
        "event": "Order Completed",
        "userId": f"u-{number % anchors}",
        "traits": {f"trait_{n}": f"value {n}" for n in range(traits)}
        | {"email": "anne+news@example.org"},
        "properties": {"order_id": f"o{number}", "revenue": 12.5},
    }
    at = START_MS + number * 1000
    record = RawRecord(
        *(f"r{number}:0", f"r{number}", 0, at, "server", Assurance.VERIFIED, at, at, at),
        *(str(told["type"]), f"m{number}", "hash", None, None, json.dumps(told)),
    )
    return interpret(record, DEFAULT, KEYRING)


def _no_pause(_seconds: float) -> None:
    """The bench never waits."""


def wired(anchors: int, tail: int, traits: int) -> tuple[Callable[[], Desk], list[Any]]:
    """What makes a request's desk over a replayed store, and the person's events."""
    tables, bucket = DynamoDB("profiles", "control"), Bucket()
    events = [_event(number, anchors, traits) for number in range(EVENTS)]
    identity = DynamoIdentityStore(tables, "profiles", "control", _no_pause)
    stars = [star for event in events[:anchors] if (star := star_of(event, KEYRING))]
    settle(identity, stars, DEFAULT, _no_pause)
    facts = DynamoFactStore(tables, "profiles", _no_pause)
    for place in range(anchors):
        mine = events[place::anchors]
        base = NOTHING
        for event in mine[tail:]:
            base = merge(base, facts_of(event))
        facts.put_base(mine[0].anchor, Base(1, 0, START_MS, base))
        contributions = [contribution_of(event) for event in mine[:tail]]
        take_events(facts, mine[0].anchor, contributions, Pair(), _no_pause)
    workspaces = S3WorkspaceStore(
        s3=bucket, dynamodb=tables, bucket="lake", table="control", now=lambda: 0.0
    )
    workspaces.publish(COMPILED)
    tokens = DynamoTokenStore(tables, "control", lambda: 0.0)
    tokens.put(TOKEN, Reader("bench", ("*",)))
    store: Any = DynamoLookupStore(Replay(tables), "profiles", Inline(), _no_pause)  # type: ignore[arg-type]
    return lambda: _desk(store, tokens, workspaces), events


def _desk(store: Any, tokens: DynamoTokenStore, workspaces: S3WorkspaceStore) -> Desk:
    return Desk(
        profiles=store,
        timelines=store,
        tokens=tokens,
        workspace=workspaces.current(),
        keyring=KEYRING,
        now_ms=time_ns() // 1_000_000,
    )


def best_ms(work: Callable[[], object]) -> float:
    """Milliseconds of one call, the best round of several."""
    spent = []
    for _ in range(ROUNDS):
        began = process_time()
        for _ in range(CALLS):
            work()
        spent.append((process_time() - began) / CALLS * 1000)
    return min(spent)


def measured(anchors: int, tail: int, traits: int) -> dict[str, float]:
    """Milliseconds of a look-up of such a person, of its JSON alone, and of the naive layout."""
    desk, events = wired(anchors, tail, traits)

    def look_up() -> dict[str, Any]:
        return gateway_answer(respond(lookup_request_of(EVENT), desk(), function.ROUTES))

    def naive() -> bytes:
        folded = NOTHING
        for event in events:
            folded = merge(folded, facts_of(event))
        return orjson.dumps(folded.values)

    answer = look_up()
    told = json.loads(answer["body"])
    assert told["counters"]["Order Completed"] == EVENTS - anchors, told
    return {
        "look-up": best_ms(look_up),
        "its JSON alone": best_ms(lambda: orjson.dumps(told)),
        f"naive layout, {EVENTS} events": best_ms(naive),
    }


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    is_json = parser.parse_args().json
    os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "look_up_profile")
    figures = {name: measured(*shape) for name, shape in PERSONS.items()}
    if is_json:
        print(json.dumps(figures))
        return
    print(f"{'person':8} {'what':28} {'ms':>8} {'ratio':>8}")
    for person, told in figures.items():
        for what, ms in told.items():
            print(f"{person:8} {what:28} {ms:8.3f} {ms / told['look-up']:7.2f}×")
    usual = figures["usual"]["look-up"]
    print(f"budget of the usual person: 2 ms, {'kept' if usual <= 2 else 'BROKEN'}")


if __name__ == "__main__":
    main()
