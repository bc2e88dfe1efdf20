"""Iceberg tables: the files that hold the erased are found by statistics and rewritten, no others.

Everything may be repeated: what was found is written down before the first file is replaced.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
from pyiceberg.expressions import BooleanExpression
from pyiceberg.manifest import DataFile

from stamgast.erasure.needles import needles_of
from stamgast.erasure.subject import Subject
from stamgast.moments import moment_of
from stamgast_lake.catalogue import Commit, one_of
from stamgast_lake.engine import session
from stamgast_lake.erasure.found import Found
from stamgast_lake.erasure.progress import Progress
from stamgast_lake.erasure.redaction import Redaction
from stamgast_lake.erasure.rules import RULES, Rule
from stamgast_lake.lake import Lake
from stamgast_lake.loading.rows import in_order
from stamgast_lake.pruning import among
from stamgast_lake.shards import shard_of
from stamgast_lake.tables import CONSTRAINTS, EVENTS, RECEIPTS, LakeTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_BATCH = 8_192
REDACT, REDACT_TEXT = "without_erased", "without_mention"
FILE_NAME = "file_name"
SEAL, SEAL_MESSAGE = "sealed_value", "sealed_message"
MESSAGES = """
    select message_key, anchor_key in (select key from erased) as is_gone from candidate
    where anchor_key is not null and (received_at <= {T} or event_at <= {T})
      and (anchor_key in (select key from erased)
           or list_has_any([one.key for one in identifiers],
                           getvariable('erased_keys')))
"""
TEXTS = """concat_ws('\n', event, traits, properties, context, page, campaign, user_agent, locale,
    time_zone, message_id, order_id, cast(products as varchar),
    array_to_string([one.value for one in identifiers], '\n'))"""
# What names the erased, and came and happened since, is of who came back: it is theirs to say.
CAME_SINCE = """(received_at > {T} and event_at > {T} and (anchor_key in (select key from erased)
    or list_has_any([one.key for one in identifiers], getvariable('erased_keys'))))"""
MENTIONING = f"""
    select message_key, {TEXTS} from candidate
    where anchor_key in (select key from apart) and not {CAME_SINCE}
"""
SAYING = f"""
    select anchor_key, {TEXTS} from candidate
    where anchor_key is not null and not {CAME_SINCE}
"""
DECIDED = """
    select distinct message_key, cast(recorded_at as date) as on_day from candidate
    where message_key is not null
      and (a in (select key from erased) or b in (select key from erased))
"""
REASONED = """
    select distinct message_key, cast(recorded_at as date) as on_day, reason from candidate
    where message_key is not null and reason <> ''
"""
COUNT = "select count(*) from candidate where coalesce({gone}, false) or coalesce({changed}, false)"
PLACES = """
    select distinct raw_object, receipt_id from candidate
    where coalesce({changed}, false)
       or coalesce(message_key in (select key from redacted_message), false)
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was done to a table: rows found, files rewritten, files and bytes there were."""

    rows: int
    rewritten: int
    files: int
    rewritten_bytes: int = 0


@dataclass(frozen=True, slots=True)
class TableErasure:
    """The erasure of some persons from the tables, at one moment for all of them."""

    lake: Lake
    subjects: tuple[Subject, ...]
    until_ms: int
    swept_at: datetime

    def find(self, known: Found | None = None) -> Found:
        """The messages of the erased and their places in the archive, added to what was known."""
        found = known or Found()
        with session() as engine:
            self._name(engine, found)
            engine.register("candidate", self.lake.catalogue.dataset(CONSTRAINTS))
            for key, day in engine.execute(DECIDED).fetchall():
                found.decided[key] = day.isoformat()
            needles, messages = needles_of(self.subjects), self._told(MESSAGES)
            for key, day, reason in engine.execute(REASONED).fetchall():
                if needles.found_in(reason.encode()):
                    found.reasoned[key] = day.isoformat()
            found.redacted |= found.reasoned.keys()
            mentioning = self._told(MENTIONING)
            for _ in self._seen(engine, RULES[EVENTS.name], found):
                for key, is_gone in engine.execute(messages).fetchall():
                    (found.gone if is_gone else found.redacted).add(key)
                texts = engine.execute(mentioning).fetchall()
                found.redacted |= {key for key, text in texts if needles.found_in(text.encode())}
            found.gone |= found.decided.keys()
            found.redacted -= found.gone
            self._name(engine, found)
            rule = RULES[RECEIPTS.name]
            places = self._told(PLACES.replace("{changed}", rule.changed))
            for raw_object, receipt_id in self._rows(engine, rule, found, places):
                found.objects.add(raw_object)
                found.receipts.add(receipt_id)
        return found

    def strangers(self) -> frozenset[str]:
        """The anchors of all events whose texts tell of the erased, but of who came back."""
        needles, found = needles_of(self.subjects), set[str]()
        with session() as engine:
            self._name(engine, Found())
            engine.register("candidate", self.lake.catalogue.dataset(EVENTS))
            told = engine.execute(self._told(SAYING))
            while rows := told.fetchmany(ROWS_A_BATCH):
                found |= {key for key, text in rows if needles.found_in(text.encode())}
        return frozenset(found)

    def count(self, found: Found, tables: Sequence[LakeTable] = ()) -> dict[str, Tally]:
        """How many rows of these tables (or of each) tell of the erased, in how many files."""
        names = [one.name for one in tables] or list(RULES)
        with session() as engine:
            self._name(engine, found)
            with _functions(engine, self._redaction()):
                return {name: self._tally(engine, RULES[name], found)[0] for name in names}

    def erase(self, found: Found, batch: str, progress: Progress | None = None) -> dict[str, Tally]:
        """Rewrites the files that hold rows of the erased, one commit for so many files."""
        progress = progress or Progress()
        with session() as engine:
            self._name(engine, found)
            with _functions(engine, self._redaction()):
                return {
                    name: self._erase(engine, rule, found, batch, progress)
                    for name, rule in RULES.items()
                }

    def _erase(
        self, engine: "DuckDBPyConnection", rule: Rule, found: Found, batch: str, progress: Progress
    ) -> Tally:
        files = {file.file_path: file for file in self._files(rule, found)}

        def rewritten(paths: Sequence[str]) -> Mapping[str, int]:
            tally = self._rewrite(engine, rule, found, batch, [files[path] for path in paths])
            return {"rows": tally.rows, "rewritten": tally.rewritten}

        told = progress.through(f"table {rule.table.name}", files, rewritten)
        files_there = len(self.lake.catalogue.files(rule.table))
        return Tally(told.get("rows", 0), told.get("rewritten", 0), files_there)

    def _redaction(self) -> Redaction:
        return Redaction(self.subjects, self.lake.workspace().identity, self.lake.keyring())

    def _tally(
        self,
        engine: "DuckDBPyConnection",
        rule: Rule,
        found: Found,
        files: Collection[DataFile] | None = None,
    ) -> tuple[Tally, tuple[DataFile, ...]]:
        """What the table (or these files of it) holds of the erased, and the files that hold it."""
        counted = self._told(COUNT.replace("{gone}", rule.gone).replace("{changed}", rule.changed))
        rows, holding = 0, list[DataFile]()
        for file in self._seen(engine, rule, found, files):
            told = int(engine.execute(counted).fetchall()[0][0])
            rows += told
            holding += [file] if told else []
        tally = Tally(rows, len(holding), len(self.lake.catalogue.files(rule.table)))
        return tally, tuple(holding)

    def _rewrite(
        self,
        engine: "DuckDBPyConnection",
        rule: Rule,
        found: Found,
        batch: str,
        seen: Collection[DataFile],
    ) -> Tally:
        tally, files = self._tally(engine, rule, found, seen)
        if files:
            catalogue, table = self.lake.catalogue, rule.table
            engine.register("candidate", catalogue.dataset_of(table, files))
            rows = engine.sql(in_order(table, self._left(rule))).to_arrow_reader(ROWS_A_BATCH)
            # A repeat after a crash may find more, so each commit has a name of its own.
            commit = Commit(batch, f"erase {len(files)} {uuid4().hex[:8]}")
            catalogue.replace(table, rows, files, commit)
        return tally

    def _left(self, rule: Rule) -> str:
        """What stays of the rows at hand."""
        columns = (
            f"case when coalesce({rule.changed}, false) then {rule.values[name]}"
            f' else "{name}" end as "{name}"'
            if name in rule.values
            else f'"{name}"'
            for name in rule.table.column_names
        )
        kept = f"select {', '.join(columns)} from candidate where not coalesce({rule.gone}, false)"
        return self._told(kept)

    # key sets

    def _name(self, engine: "DuckDBPyConnection", found: Found) -> None:
        """Names the key sets that the rules read."""
        sets = {
            "erased": self._union("keys"),
            "erased_person": self._union("persons"),
            "apart": self._union("apart"),
            "other_person": self._union("others"),
            "others_key": self._union("partners"),
            "gone_message": found.gone,
            "redacted_message": found.redacted,
        }
        for name, keys in sets.items():
            engine.register(name, pa.table({"key": pa.array(sorted(keys), pa.string())}))
        engine.execute("set variable erased_keys = (select coalesce(list(key), []) from erased)")

    def _union(self, name: str) -> frozenset[str]:
        empty: frozenset[str] = frozenset()
        return empty.union(*(getattr(one, name) for one in self.subjects))

    def _keys(self, rule: Rule, found: Found) -> list[str]:
        known = {
            "erased": "keys",
            "erased_person": "persons",
            "apart": "apart",
            "other_person": "others",
            "others_key": "partners",
        }
        sets = [
            found.gone if name == "gone_message" else self._union(known[name])
            for name in rule.spans
        ]
        return sorted(set().union(*sets))

    def _told(self, statement: str) -> str:
        told = {"T": _moment(moment_of(self.until_ms)), "S": _moment(self.swept_at)}
        return statement.format(**told)

    # what holds them

    def _rows(
        self, engine: "DuckDBPyConnection", rule: Rule, found: Found, query: str
    ) -> Iterator[tuple[Any, ...]]:
        for _ in self._seen(engine, rule, found):
            yield from engine.execute(query).fetchall()

    def _files(self, rule: Rule, found: Found) -> Sequence[DataFile]:
        """The files of the table that may hold the erased."""
        return self.lake.catalogue.files(rule.table, _shards(rule, self._keys(rule, found)))

    def _seen(
        self,
        engine: "DuckDBPyConnection",
        rule: Rule,
        found: Found,
        files: Collection[DataFile] | None = None,
    ) -> Iterator[DataFile]:
        """Each (or each of these files), with what of it may hold the erased named `candidate`.

        Decisions of operators have no anchor: the files of their days are read whole.
        """
        catalogue, keys = self.lake.catalogue, self._keys(rule, found)
        is_daily = rule.table in (EVENTS, RECEIPTS)
        told = {*found.decided.values(), *found.reasoned.values()}
        days = sorted(told) if is_daily else []
        whole = catalogue.files(rule.table, one_of(rule.table.partition[0], days)) if days else ()
        for file in self._files(rule, found) if files is None else files:
            rows: Any = catalogue.dataset_of(rule.table, (file,))
            if rule.column is not None and file not in whole:
                rows = among(rows, rule.column, keys) if keys else rows.head(0)
            engine.register("candidate", rows)
            yield file


@contextmanager
def _functions(engine: "DuckDBPyConnection", redaction: Redaction) -> Iterator[None]:
    """What the rules ask of Python, for as long as they need it."""
    sealing = redaction.sealing
    told: dict[str, tuple[Callable[..., str], int]] = {
        REDACT: (redaction.of_json, 1),
        REDACT_TEXT: (redaction.of_text, 1),
        FILE_NAME: (redaction.of_file_name, 1),
        SEAL: (sealing.value, 2),
        SEAL_MESSAGE: (sealing.message_id, 2),
    }
    for name, (function, takes) in told.items():
        engine.create_function(name, function, ["VARCHAR"] * takes, "VARCHAR")
    try:
        yield
    finally:
        for name in told:
            engine.remove_function(name)


def _shards(rule: Rule, keys: Iterable[str]) -> BooleanExpression | None:
    """The shards that the keys lie in, where the table is parted by the keys that it is told by."""
    if rule.column is None or rule.table.partition != ("shard",):
        return None
    return one_of("shard", {shard_of(key) for key in keys})


def _moment(at: datetime) -> str:
    return f"cast('{at.isoformat()}' as timestamptz)"
