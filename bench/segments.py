"""A hundred rules over a million profiles and twenty million events, and for one person at a time.

Run: `python -m bench.segments [PROFILES EVENTS]` (1,000,000 and 20,000,000 unless said). Seventy
rules ask attributes, thirty count events in windows. Three subjects do the same work, each in a
process of its own: ours (all rules in one pass over Parquet files), the same rules by hand as one
raw DuckDB statement a rule, and by hand in pandas over typed columns that were flattened before.
The members of every rule are counted, and must be the same three times.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from bench.segment_live import one_person
from bench.segment_rules import (
    CELLS,
    CITIES,
    KINDS,
    NAMES,
    attribute_rules,
    event_rules,
    rules,
)
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules.statements import VERDICTS, ask

NOW = Now(1_795_262_400_000, ZoneInfo("UTC"))
DAY_MS = 86_400_000
MEMORY_MB = 3_000
PROFILES = """
    copy (select 'p1' || lpad(cast(i as varchar), 25, 'a') as person_id,
        timestamptz '2024-01-01 00:00:00+00' + interval (i % 500) day as first_at,
        timestamptz '2026-11-20 00:00:00+00' - interval ((i * 7) % 300) day as last_at,
        (i * 13) % 40 as orders, (i * 104729) % 90000 as revenue_minor, 'EUR' as currency,
        cast(null as timestamptz) as orders_first_at, cast(null as timestamptz) as orders_last_at,
        {traits} as traits,
        case i % 3 when 0 then '{{"email":true}}' when 1 then '{{"email":false}}' end as consent,
        '{{}}' as computed,
        {cells}[i % 5 + 1] as segment, cast(i % 5 + 1 as integer) as r,
        cast((i // 5) % 5 + 1 as integer) as f, cast((i // 25) % 5 + 1 as integer) as m,
        (i * 13) % 40 as frequency, (i * 104729) % 90000 as monetary_minor, 'EUR' as rfm_currency,
        cast(null as date) as last_order_on
    from range({profiles}) numbers(i)) to '{file}' (format parquet, row_group_size 100000)
"""
TRAIT = (
    '"%s":{{"assurance":"verified","event_ms":1790000000000,"message_key":"1abcdefghijklmnopqrstuvwxyz",\
"source_id":"web","value":%s}}'
)
EVENTS = """
    copy (select 'user_id:1' || lpad(cast((i * 7919) % {profiles} as varchar), 25, 'a')
            as anchor_key,
        'm' || i as message_key,
        timestamptz '2026-11-21 11:00:00+00' - interval (cast((i * 31) % 525600 as bigint)) minute
            as event_at,
        {names}[(i // 3) % 6 + 1] as event, 'track' as type, 'web' as source_id,
        cast(null as varchar) as order_id, cast(null as bigint) as revenue_minor,
        cast(null as varchar) as currency,
        cast(null as struct(product_id varchar, category varchar)[]) as products,
        '{{"category":"' || {kinds}[(i // 7) % 6 + 1] || '","price":' || (i % 90)
            || ',"path":"/shop/item/' || (i % 1000) || '"}}' as properties,
        cast(null as varchar) as campaign, cast(null as varchar) as page, '{{}}' as context
    from range({events}) numbers(i) order by event_at) to '{file}'
    (format parquet, row_group_size 500000)
"""


def write(folder: Path, profiles: int, events: int) -> None:
    """The files that every subject reads."""
    traits = (
        ("city", f"'\"' || {_listed(CITIES)}[i % 8 + 1] || '\"'"),
        ("age", "case when i % 10 = 0 then 'null' else cast(18 + i % 60 as varchar) end"),
        ("plan", "'\"o' || (i % 3) || (i % 11) || '\"'"),
        ("score", "cast(i % 97 as varchar)"),
        ("email", "'\"someone' || i || '@example.org\"'"),
    )
    document = (
        "'{{' || "
        + " || ',' || ".join(
            "'" + (TRAIT % (name, "' || " + value + " || '")) + "'" for name, value in traits
        )
        + " || '}}'"
    )
    with session(EngineSettings(MEMORY_MB, 2, folder)) as engine:
        engine.execute(
            PROFILES.format(
                traits=document.replace("{{", "{").replace("}}", "}"),
                cells=_listed(CELLS),
                profiles=profiles,
                file=folder / "profiles.parquet",
            )
        )
        engine.execute(
            EVENTS.format(
                names=_listed(NAMES),
                kinds=_listed(KINDS),
                profiles=profiles,
                events=events,
                file=folder / "events.parquet",
            )
        )
        engine.execute(
            "copy (select person_id, 'user_id:1' || substr(person_id, 3) as identifier from"
            f" read_parquet('{folder}/profiles.parquet')) to '{folder}/identity.parquet'"
        )


def _listed(words: Sequence[str]) -> str:
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"


def relations(engine: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The relations of the rules over the files, as a run makes them over the lake's tables."""
    engine.execute(
        f"create view rule_person as select * from read_parquet('{folder}/profiles.parquet')"
    )
    events, anchors = f"{folder}/events.parquet", f"{folder}/identity.parquet"
    engine.execute(f"create view rule_happening as select * from read_parquet('{events}')")
    engine.execute(
        "create view rule_anchor as select identifier as anchor_key, person_id"
        f" from read_parquet('{anchors}')"
    )
    engine.execute(
        "create view rule_event as select identity.person_id, events.*,"
        " cast(null as varchar) as principal"
        f" from read_parquet('{folder}/events.parquet') events"
        f" join read_parquet('{folder}/identity.parquet') identity"
        " on identity.identifier = events.anchor_key"
    )


def ours(folder: Path) -> dict[str, int]:
    """All rules in one pass."""
    listed = rules()
    with session(EngineSettings(MEMORY_MB, 2, folder)) as engine:
        relations(engine, folder)
        ask(engine, listed, NOW)
        sums = ", ".join(f"sum(cast(r{place} as integer))" for place in range(len(listed)))
        counts = engine.execute(f"select {sums} from {VERDICTS}").fetchone() or ()
    return {rule.name: int(count) for rule, count in zip(listed, counts, strict=True)}


def raw_sql(folder: Path) -> dict[str, int]:
    """One statement a rule."""
    found = {}
    with session(EngineSettings(MEMORY_MB, 2, folder)) as engine:
        relations(engine, folder)
        for name, (_, sql, _) in attribute_rules().items():
            found[name] = _count(engine, f"select count(*) from rule_person where {sql}")
        for name, (event, kind, days, least) in event_rules().items():
            category = f" and json_extract_string(properties, '$.category') = '{kind}'"
            found[name] = _count(
                engine,
                "select count(*) from (select person_id from rule_event"
                f" where event = '{event}' {category if kind else ''}"
                f" and event_at >= timestamptz '2026-11-22 00:00:00+00' - interval ({days}) day"
                f" and event_at <= timestamptz '2026-11-21 12:00:00+00'"
                f" group by person_id having count(*) >= {least})",
            )
    return found


def _count(engine: duckdb.DuckDBPyConnection, statement: str) -> int:
    row = engine.execute(statement).fetchone()
    return int(row[0]) if row else 0


def flatten(folder: Path) -> None:
    """Typed columns for pandas: what it could not do in time with JSON."""
    with session(EngineSettings(MEMORY_MB, 2, folder)) as engine:
        engine.execute(
            "copy (select orders, revenue_minor, first_at, last_at, segment, r, f,"
            " json_extract_string(traits, '$.city.value') as city,"
            " try_cast(json_extract_string(traits, '$.age.value') as double) as age,"
            " json_extract_string(traits, '$.plan.value') as plan,"
            " cast(json_extract_string(traits, '$.score.value') as double) as score,"
            " cast(json_extract_string(consent, '$.email') as boolean) as email"
            f" from read_parquet('{folder}/profiles.parquet')) to '{folder}/flat.parquet'"
        )
        engine.execute(
            "copy (select cast(ltrim(substr(anchor_key, 10), 'a') as integer) as person, event,"
            " json_extract_string(properties, '$.category') as category, event_at"
            f" from read_parquet('{folder}/events.parquet')) to '{folder}/flat_events.parquet'"
        )


def by_pandas(folder: Path) -> dict[str, int]:
    """Vectorised by hand over flat columns, persons as integers."""
    import pandas as pd

    p = pd.read_parquet(folder / "flat.parquet")
    today = pd.Timestamp("2026-11-21", tz="UTC")
    names = {"p": p, "pd": pd, "TODAY": today, "True": True}
    found = {
        name: int(eval(told[2], {}, names).fillna(False).sum())
        for name, told in attribute_rules().items()
    }
    e = pd.read_parquet(folder / "flat_events.parquet")
    e["event"], e["category"] = e.event.astype("category"), e.category.astype("category")
    for name, (event, kind, days, least) in event_rules().items():
        mask = (e.event == event) & (e.event_at >= today + pd.Timedelta(days=1 - days))
        mask &= e.event_at <= today + pd.Timedelta(hours=12)
        if kind:
            mask &= e.category == kind
        counts = e.person[mask].value_counts()
        found[name] = int((counts >= least).sum())
    return found


SUBJECTS: Mapping[str, Callable[[Path], dict[str, int]]] = {
    "ours": ours,
    "raw SQL": raw_sql,
    "pandas": by_pandas,
}


def measured(subject: str, folder: Path) -> dict[str, Any]:
    """One subject in a process of its own."""
    command = [sys.executable, "-m", "bench.segments", "--subject", subject, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def peak_mb() -> int:
    """The most memory that this process ever held; what it was forked from does not count."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def run_subject(subject: str, folder: Path) -> None:
    """Prints what a subject took and found."""
    began = time.perf_counter()
    found = SUBJECTS[subject](folder)
    wall = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    told = {"wall": wall, "cpu": cpu, "peak_mb": peak_mb(), "found": found}
    print(json.dumps(told))


def main() -> None:
    """Prints the table."""
    if sys.argv[1:2] == ["--subject"]:
        run_subject(sys.argv[2], Path(sys.argv[3]))
        return
    profiles, events = (int(told) for told in (sys.argv[1:3] or ("1000000", "20000000")))
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, profiles, events)
        flatten(folder)
        print(f"100 rules, {profiles:,} profiles, {events:,} events")
        print(
            "\n| subject | wall, s | CPU, s | peak, MB | CPU against ours |\n|---|---|---|---|---|"
        )
        first: dict[str, Any] = {}
        for subject in SUBJECTS:
            told = measured(subject, folder)
            first = first or told
            assert told["found"] == first["found"], _different(first["found"], told["found"])
            print(
                f"| {subject} | {told['wall']:.1f} | {told['cpu']:.1f} | {told['peak_mb']:,}"
                f" | {told['cpu'] / first['cpu']:.1f} |",
                flush=True,
            )
    one_person()


def _different(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}


if __name__ == "__main__":
    main()
