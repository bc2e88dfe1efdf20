"""Whether the time of an answer tells of anybody: medians for the known and the unknown.

    python -m bench.timing [--calls 200]                        the function in this process
    python -m bench.timing --over-http                          a running platform

In this process the handler answers over the in-process DynamoDB, the writes of the audit log
included: of somebody known, of nobody, of an identifier that was only claimed, of who was erased,
of who is suppressed, and to tokens that have expired or may not name the namespace. Over HTTP it
brings three people of its own in, suppresses one and erases one, and asks for each on both APIs;
addresses, token and key are those of `.stamgast/local.json`, or as told. Pairs are asked in turn,
so that a busy machine slows both; answers that must be equal are compared byte by byte.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from statistics import median
from typing import Any
from urllib.parse import quote

from bench.lookup import Bucket
from bench.timing_http import Ask, Platform, pairs, planted
from functions.look_up_profile import handler as function
from stamgast.erasure.subject import Subject
from stamgast.identity.assurance import Assurance
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.live import settle
from stamgast.identity.settings import DEFAULT
from stamgast.identity.star import star_of
from stamgast.lookup.reader import Reader
from stamgast.profile.live import contribution_of
from stamgast.profile.steps import take_events
from stamgast.profile.store import Pair
from stamgast.raw.record import RawRecord
from stamgast.workspace.compiler import compile_files
from stamgast_aws.erasure_items import DynamoErasure
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.workspaces import S3WorkspaceStore
from stamgast_cli.local.places import default_places
from tests.fakes.disclosures import KeptLines
from tests.fakes.dynamodb import DynamoDB

SECRET, TOKEN, START_MS = "sesame", "sgr_bench", 1_790_000_000_000
KEYRING = Keyring(1, SECRET.encode())
COMPILED = compile_files({"sources.yaml": "sources: {web: {name: Web}}"})
READERS = {
    TOKEN: Reader("bench", ("*",)),
    "sgr_expired": Reader("old", ("*",), expires_s=1),
    "sgr_phone": Reader("phone", ("*",), ("phone",)),
}
SETTINGS = {
    "PROFILES_TABLE": "profiles",
    "CONTROL_TABLE": "control",
    "DISCLOSURES_STREAM": "disclosures",
    "WORKSPACE_SECRET": "secret",
    "LAKE_BUCKET": "lake",
    "POWERTOOLS_SERVICE_NAME": "look_up_profile",
}
KNOWN, NOBODY, CLAIMED = (
    "email:known@example.com",
    "email:stranger@example.com",
    "email:c@example.com",
)
ERASED, SUPPRESSED = "email:erased@example.com", "email:hushed@example.com"


class Secrets:
    """The one call of the keyring."""

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        """The workspace's secret."""
        return {"SecretString": json.dumps({"version": 1, "secret": SECRET})}


def no_pause(_seconds: float) -> None:
    """The bench never waits."""


def happen(tables: DynamoDB, number: int, assurance: Assurance, **body: Any) -> None:
    """One event, brought in by the live rules themselves."""
    at, told = START_MS + number, {"type": "identify", "userId": f"u-{number}", **body}
    record = RawRecord(
        *(f"r{number}:0", f"r{number}", 0, at, "web", assurance, at, at, at),
        *("identify", f"m{number}", "hash", None, None, json.dumps(told)),
    )
    event = interpret(record, DEFAULT, KEYRING)
    star = star_of(event, KEYRING)
    assert star is not None
    assert event.anchor is not None
    store = DynamoIdentityStore(tables, "profiles", "control", no_pause)
    settle(store, [star], DEFAULT, no_pause)
    facts = DynamoFactStore(tables, "profiles", no_pause)
    take_events(facts, event.anchor, [contribution_of(event)], Pair(), no_pause)


def opened() -> None:
    """Wires the function to tables that hold all these people."""
    tables, bucket = DynamoDB("profiles", "control"), Bucket()
    workspaces = S3WorkspaceStore(
        s3=bucket, dynamodb=tables, bucket="lake", table="control", now=lambda: 0.0
    )
    workspaces.publish(COMPILED)
    for token, reader in READERS.items():
        DynamoTokenStore(tables, "control", lambda: 0.0).put(token, reader)
    known = Assurance.VERIFIED
    hushed = {"consent": {"suppressed": True}}
    for number, (who, assurance, context) in enumerate(
        ((KNOWN, known, {}), (CLAIMED, Assurance.CLAIMED, {}), (ERASED, known, {}),
         (SUPPRESSED, known, hushed))
    ):  # fmt: skip
        traits = {"email": who.partition(":")[2], "city": "Delft"}
        happen(tables, number, assurance, traits=traits, context=context)
    erase(tables, ERASED)
    clients = {"dynamodb": tables, "s3": bucket, "secretsmanager": Secrets()}
    os.environ.update(SETTINGS)
    setattr(function, "client", {**clients, "firehose": KeptLines()}.__getitem__)  # noqa: B010


def erase(tables: DynamoDB, who: str) -> None:
    """Takes a person out of both tables, as a rights request does."""
    live = DynamoErasure(tables, "profiles", "control", no_pause, lambda: KEYRING)
    namespace, _, value = who.partition(":")
    key = KEYRING.identifier_key(namespace, value)
    live.erase(live.resolve(Subject("r", START_MS + 10**6, frozenset((key,)), {key: value})))


def in_process(who: str, token: str = TOKEN, **query: str) -> Ask:
    """A look-up by the handler."""
    event = {
        "rawPath": f"/v1/profiles/{quote(who, safe=':')}",
        "headers": {"authorization": f"Bearer {token}"},
        "queryStringParameters": query,
        "requestContext": {"http": {"method": "GET"}, "requestId": "r"},
    }

    def ask() -> bytes:
        with redirect_stdout(StringIO()):  # its log lines
            answer = function.handler(event, None)
        return f"{answer['statusCode']} {answer['body']}".encode()

    return ask


def compared(one: Ask, other: Ask, calls: int) -> tuple[float, float, bool]:
    """The medians of both in milliseconds, and whether their answers are the same bytes."""
    spent: tuple[list[float], list[float]] = ([], [])
    answers = one(), other()
    for _ in range(calls):
        for ask, times in zip((one, other), spent, strict=True):
            began = time.perf_counter()
            ask()
            times.append((time.perf_counter() - began) * 1000)
    return median(spent[0]), median(spent[1]), answers[0] == answers[1]


def pairs_in_process() -> Mapping[str, tuple[Ask, Ask]]:
    """What nobody may tell apart by time; the named ones not by their answers either."""
    opened()
    ask = in_process
    return {
        "known, unknown": (ask(KNOWN), ask(NOBODY)),
        "suppressed, unknown": (ask(SUPPRESSED), ask(NOBODY)),
        "claimed path, unknown": (
            ask(CLAIMED, **{"as": "claimed"}),
            ask(NOBODY, **{"as": "claimed"}),
        ),
        "= erased, unknown": (ask(ERASED), ask(NOBODY)),
        "= expired token: known, unknown": (ask(KNOWN, "sgr_expired"), ask(NOBODY, "sgr_expired")),
        "= no token there: known, unknown": (ask(KNOWN, "sgr_none"), ask(NOBODY, "sgr_none")),
        "= another scope: known, unknown": (ask(KNOWN, "sgr_phone"), ask(NOBODY, "sgr_phone")),
    }


def pairs_over_http(told: argparse.Namespace) -> Mapping[str, tuple[Ask, Ask]]:
    """The same of a running platform, over both APIs; what is not told stands in its file."""
    file = default_places().connection
    local = json.loads(file.read_text("utf-8")) if file.exists() else {}
    names = ("profile_url", "ingest_url", "reader_token", "server_write_key")
    given = zip(names, (told.url, told.ingest_url, told.token, told.key), strict=True)
    platform = Platform(*(value or local[name] for name, value in given))
    return pairs(platform, planted(platform))


def main() -> None:
    """Prints the medians of each pair, and how far apart they lie."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--over-http", action="store_true", help="ask a running platform")
    parser.add_argument("--url", help="its look-up API; left out: that of .stamgast/local.json")
    parser.add_argument("--ingest-url", help="where it takes events; left out: the same")
    parser.add_argument("--token", help="a token that may erase; left out: the same")
    parser.add_argument("--key", help="a secret write key; left out: the same")
    told = parser.parse_args()
    asked = pairs_over_http(told) if told.over_http else pairs_in_process()
    print(f"{'asked for':48} {'ms':>8} {'ms':>8} {'apart':>8}  answers")
    for name, (one, other) in asked.items():
        first, second, is_same = compared(one, other, told.calls)
        if name.startswith("=") and not is_same:
            raise SystemExit(f"{name}: the answers differ")
        same = "the same" if is_same else "differ"
        print(f"{name:48} {first:8.3f} {second:8.3f} {abs(first - second):8.3f}  {same}")


if __name__ == "__main__":
    main()
