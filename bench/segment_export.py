"""A preview and an export over a lake of many persons: CPU, and the peak of memory.

    python -m bench.segment_export [PERSONS EVENTS]

1,000,000 persons and 5,000,000 events unless said, in real Iceberg tables on the local disk; a
third allows e-mail, a third refuses, of a third nothing is known. The preview asks ten rules of
everybody, five of them over events. The export takes every person who has ordered, with five
fields, as CSV; live persons are answered from memory there. What asking the live view costs is
measured beside it, by the adapter over an in-process DynamoDB, for a thousand persons. The engine
is bounded as in a Lambda function of 3,008 MB.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any
from zoneinfo import ZoneInfo

from bench.identity import ROWS_A_BATCH, close, key, local_lake, measured
from stamgast.consent.coverage import Consent, Word
from stamgast.egress.decision import LivePerson
from stamgast.egress.fields import field_of
from stamgast.identity.assurance import Assurance
from stamgast.identity.settings import DEFAULT
from stamgast.lookup.reader import Reader
from stamgast.moments import ms_of
from stamgast.segments.definitions import segments_of
from stamgast.segments.language.windows import Now
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import session
from stamgast_lake.exports.order import CSV, Order
from stamgast_lake.exports.parts import PartWork, receipt_of
from stamgast_lake.exports.select import select
from stamgast_lake.lake import Lake
from stamgast_lake.rules.preview import Question, preview_segment
from stamgast_lake.runs import Run
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import EVENTS, IDENTITY, MEMBERSHIPS, PERSONS, PROFILES, RFM, LakeTable

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
RUN = Run("20261122T090000Z-bench", 1, NOW)
READER = Reader("bench", ("*",))
MANY = 1_000
RULES = {
    "buyers": "orders.count >= 1",
    "dear": "orders.revenue > 300",
    "delft": "traits.city = 'Delft'",
    "grown": "traits.age >= 40",
    "champions": "rfm.segment = 'champions'",
    "wine": "count(event = 'Viewed' and properties.category = 'Wine', last 14 days) >= 1",
    "recent": "orders.total_365d > 100",
    "looked": "did 'Viewed' last 14 days and not 'Order Completed' since",
    "again": "did 'Order Completed' then 'Order Completed' within 30 days",
    "both": "in segment('dear') and in segment('wine')",
}
PERSON = "'p1' || left(translate(md5('' || {number}), '0189', 'ghij'), 25)"
TRAIT = '"{name}":{{"assurance":"verified","event_ms":1790000000000,"message_key":"{message}",\
"source_id":"web","value":{value}}}'
SPENT = """[{{'currency': 'EUR', 'orders': {n}, 'revenue_minor': {r},
    'first_ms': {f}, 'last_ms': {f}}}]"""
MESSAGE = "1abcdefghijklmnopqrstuvwxyz"[:26]
STAMP = f"timestamptz '{NOW.isoformat()}' as recorded_at, '{RUN.run_id}' as run_id"


def rows_of(persons: int, events: int) -> Iterator[tuple[Any, str]]:
    """The tables, each with the SELECT that makes its rows."""
    person = PERSON.format(number="i")
    shard = f"cast({shard_sql('person_id')} as integer) as shard"
    traits = " || ',' || ".join(_trait(*one) for one in TRAITS)
    spent = SPENT.format(n="i % 7", r="(i * 7919) % 90000", f="1770000000000 + i % 20000000")
    each = f"(select range as i, {person} as person_id from range({persons}))"
    yield from _profiles(each, shard, traits, spent)
    yield from _persons(each, shard)
    yield from _standing(each, shard)
    yield from _happened(persons, events)


def _profiles(each: str, shard: str, traits: str, spent: str) -> Iterator[tuple[Any, str]]:
    yield (
        PROFILES,
        f"""
        select person_id, timestamptz '2025-01-01 00:00:00+00' as first_at,
            timestamptz '2026-11-01 00:00:00+00' as last_at, '{{' || {traits} || '}}' as traits,
            '{{}}' as counters, i % 7 as orders, (i * 7919) % 90000 as revenue_minor,
            case when i % 7 > 0 then 'EUR' end as currency,
            case when i % 7 > 0 then {spent} end as spending,
            'hash' as profile_hash, {STAMP}, {shard} from {each}""",
    )


def _persons(each: str, shard: str) -> Iterator[tuple[Any, str]]:
    yield (
        PERSONS,
        f"""
        select person_id, 'active' as state, timestamptz '2025-01-01 00:00:00+00' as born_at,
            'web' as founding_source, 'm' as founding_message, 0 as founding_position,
            1 as identifiers, {STAMP}, {shard} from {each}""",
    )
    yield (
        IDENTITY,
        f"""
        select identifier, 'user_id' as namespace, person_id, 'founded' as cause, {STAMP},
            cast({shard_sql("identifier")} as integer) as shard
        from (select {key("user_id", "i")} as identifier, person_id from {each})""",
    )


def _standing(each: str, shard: str) -> Iterator[tuple[Any, str]]:
    yield (
        RFM,
        f"""
        select person_id, 20 as recency_days, date '2026-11-01' as last_order_on,
            i % 7 as frequency,
            (i * 7919) % 90000 as monetary_minor, 'EUR' as currency, 3 as r, 3 as f, 3 as m,
            'loyal' as segment, {STAMP}, {shard} from {each} where i % 7 > 0""",
    )
    yield (
        MEMBERSHIPS,
        f"""
        select person_id, 'buyers' as segment, 'entered' as change, 'v' as rule_version,
            timestamptz '{NOW.isoformat()}' as "at", 'facts' as because,
            md5(person_id) as change_id,
            {STAMP} from {each} where i % 7 > 0""",
    )


def _happened(persons: int, events: int) -> Iterator[tuple[Any, str]]:
    yield (
        EVENTS,
        f"""
        select rpad('k' || i, 26, 'm') as message_key, 'm' || i as message_id, 'web' as source_id,
            'r' || i as receipt_id, 'hash' as payload_hash, 'track' as type,
            case when i % 3 = 0 then 'Order Completed' else 'Viewed' end as event,
            timestamptz '{NOW.isoformat()}' - interval (i % 7776000) second as event_at,
            timestamptz '{NOW.isoformat()}' as received_at, cast(2 as integer) as assurance,
            true as has_own_time, {key("user_id", f"(i * 7919) % {persons}")} as anchor_key,
            case when i % 3 = 0 then 'o' || i end as order_id,
            case when i % 3 = 0 then i % 9000 end as revenue_minor,
            case when i % 3 = 0 then 'EUR' end as currency,
            '{{"category":"' || ['Wine', 'Beer', 'Tea'][(i // 3) % 3 + 1] || '"}}' as properties,
            '{{}}' as context,
            cast(timestamptz '{NOW.isoformat()}' - interval (i % 7776000) second as date)
                as event_on, '{RUN.run_id}' as run_id
        from (select range as i from range({events}))""",
    )


# The value by purpose, and the word that it comes to.
SAID = '{{"email":{0}}},"words":{{"email":[[{0},2,1,"m",{{}}]]}}'
TRAITS = (
    ("email", "'\"someone' || i || '@example.org\"'"),
    ("first_name", "'\"Someone' || i % 1000 || '\"'"),
    ("city", "'\"' || ['Delft', 'Gouda', 'Breda'][i % 3 + 1] || '\"'"),
    ("age", "cast(18 + i % 60 as varchar)"),
    ("consent", f"['{SAID.format('true')}', '{SAID.format('false')}', '{{}}'][i % 3 + 1]"),
)


def _trait(name: str, value: str) -> str:
    told = TRAIT.format(name=name, message=MESSAGE, value="@")
    before, after = told.split("@")
    return f"'{before}' || {value} || '{after}'"


class Objects:
    """The part of an S3 client that exports use, on the local disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put_object(self, *, Bucket: str, Key: str, Body: Any) -> None:  # noqa: ARG002, N803
        path = self.folder / Key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(Body if isinstance(Body, bytes) else Body.read())

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: ARG002, N803
        return {"Body": BytesIO((self.folder / Key).read_bytes())}


class Unchanged:
    """Persons whose consent is what it was at the run."""

    def read(self, person_ids: Sequence[str], _: frozenset[str]) -> Mapping[str, LivePerson]:
        word = Word(is_grant=True, assurance=Assurance.VERIFIED, said_ms=1, version="m")
        told = LivePerson(Consent({"email": (word,)}))
        return dict.fromkeys(person_ids, told)


def workspace() -> Workspace:
    lines = [f"  {name}:\n    rule: |\n      {rule}" for name, rule in RULES.items()]
    texts = {"segments.yaml": "segments:\n" + "\n".join(lines)}
    texts["sources.yaml"] = "sources:\n  web:\n    name: Web\n"
    return workspace_of(compile_files(texts))


def append(lake: Lake, engine: Any, table: LakeTable, rows: str) -> None:
    """Commits rows as a run would; what they do not tell is null."""
    told = set(engine.sql(rows).columns)
    columns = ", ".join(f'"{n}"' if n in told else f'null as "{n}"' for n in table.column_names)
    order = ", ".join((*table.partition, *table.sort))
    stream = engine.sql(f"select {columns} from ({rows}) order by {order}")
    lake.catalogue.append(table, stream.to_arrow_reader(ROWS_A_BATCH), Commit(RUN.run_id, "load"))


@contextmanager
def filled(persons: int, events: int) -> Iterator[Lake]:
    """A lake as a run of so many persons left it."""
    made = workspace()
    with TemporaryDirectory(prefix="stamgast-bench-") as name, local_lake(Path(name)) as lake:
        for table, rows in rows_of(persons, events):
            with session() as engine:
                append(lake, engine, table, rows)
        close(lake, RUN)
        yield replace(lake, s3=Objects(Path(name)), workspace=lambda: made)


def previewed(lake: Lake) -> dict[str, Any]:
    segments = segments_of(lake.workspace().segments)
    question = Question(
        name="wine",
        rules=[one.rule for one in segments],
        traits=(),
        purpose="email",
        now=Now(ms_of(NOW), ZoneInfo("UTC")),
        against="buyers",
    )
    found = preview_segment(lake, question, 10)
    return {"size": found.size, "population": found.population, "consented": found.consented}


FIELDS = ("person_id", "traits.email", "traits.first_name", "orders.revenue", "rfm.segment")


def exported(lake: Lake) -> dict[str, Any]:
    fields = tuple(field_of(name, DEFAULT, ()) for name in FIELDS)
    order = Order("bench", "buyers", "email", fields, CSV, READER.name, ms_of(NOW))
    selected = select(lake, order)
    work = PartWork(lake, Unchanged(), lambda: ms_of(NOW), order, selected)
    for part in range(selected.parts):
        work.do(part)
    told = receipt_of(lake, order, selected)
    return {name: told[name] for name in ("members", "exported", "reasons")} | {
        "files": len(told["files"]),
        "megabytes": sum(one["bytes"] for one in told["files"]) // 1_000_000,
    }


def live_view() -> dict[str, Any]:
    """What reading a thousand persons of two items each costs, without the network."""
    from tests.fakes.segment_desk import Counter
    from tests.lake.test_memberships import bought, world

    shop = world(buyers="orders.count >= 1")
    consent = {"type": "identify", "traits": {"consent": {"email": True}}}
    for start in range(0, MANY, 250):
        numbers = range(start, start + 250)
        events = [event for n in numbers for event in _of_one(n, bought, consent)]
        shop.send(*events, request_id=f"r{start}")
    counter = Counter(shop)
    people = sorted(shop.persons())
    busy = process_time()
    counter.work().persons.read(people, frozenset("u"))
    cpu = process_time() - busy
    return {"persons": len(people), "cpu_ms_a_person": round(cpu * 1000 / len(people), 3)}


def _of_one(
    number: int, bought: Callable[..., dict[str, Any]], consent: dict[str, Any]
) -> list[dict[str, Any]]:
    one = bought(f"u{number}", f"o{number}")
    return [one, {**one, **consent, "messageId": f"c{number}"}]


def main() -> None:
    """Prints each step with its CPU seconds and its peak of memory."""
    told = [int(one.replace("_", "")) for one in sys.argv[1:]]
    persons, events = told or (1_000_000, 5_000_000)
    environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "3008"
    with filled(persons, events) as lake:
        for name, act in (("preview", previewed), ("export", exported)):
            step = measured(name, lambda act=act: act(lake))  # type: ignore[misc]
            print(f"{name:<10} {step['cpu_seconds']:>8.2f} s CPU {step['peak_mb']:>6,} MB")
            print(f"           {json.dumps(step['figures'])}")
    print(f"live view  {json.dumps(live_view())}")


if __name__ == "__main__":
    main()
