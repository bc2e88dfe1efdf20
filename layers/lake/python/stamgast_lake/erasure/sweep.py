"""A sweep: some persons out of every store of the lake, from the tables to loose objects.

It runs under the lease of runs, and every step of it may be repeated: what was found is written
down first, and a file that was rewritten holds nothing more to find.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
from botocore.exceptions import ClientError

from stamgast.erasure.needles import needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.catalogue import Commit
from stamgast_lake.erasure.archive import ArchiveErasure, Cleaned, Told
from stamgast_lake.erasure.dropped import DropErasure
from stamgast_lake.erasure.found import Found
from stamgast_lake.erasure.history import forget_history
from stamgast_lake.erasure.loose import LooseErasure
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.erasure.progress import Progress
from stamgast_lake.erasure.resolve import resolve_in_lake
from stamgast_lake.erasure.scan import Scan, scan_buckets
from stamgast_lake.erasure.tables import TableErasure, Tally
from stamgast_lake.lake import Lake
from stamgast_lake.loading.run import finish_left
from stamgast_lake.runs import FAILED, WHOLE
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EVENTS, EVIDENCE, ICEBERG, RUNS, LakeTable

FOLDER = "erasure"
LOOSE = ("exports/", "runs/", "models/", "errors/")
RESULTS = "athena/"
REASON = "erased: other persons are computed anew"


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found and did, by table and by prefix."""

    tables: Mapping[str, Tally]
    prefixes: Mapping[str, Cleaned]
    files_gone: int = 0
    recomputes: bool = False

    def counts(self) -> dict[str, int]:
        """Rows, lines and objects found in each store."""
        tables = {name: tally.rows for name, tally in self.tables.items()}
        return tables | {name: done.lines for name, done in self.prefixes.items()}

    def to_dict(self) -> dict[str, Any]:
        """The form in which it is reported."""
        return {
            "tables": {name: asdict(one) for name, one in self.tables.items()},
            "prefixes": {name: asdict(one) for name, one in self.prefixes.items()},
            "files_gone": self.files_gone,
            "recomputes": self.recomputes,
        }


@dataclass(frozen=True, slots=True)
class Sweep:
    """The sweep of one batch of requests, at one moment, under one number of the lease.

    `progress` is how far it has come; each step of it raises OutOfTimeError where it was the last.
    """

    lake: Lake
    batch: str
    seq: int
    until_ms: int
    moment: datetime
    progress: Progress = field(default_factory=Progress)

    def resolve(self, subject: Subject) -> Subject:
        """The subject with what the lake knows of the person."""
        known = resolve_in_lake(self.lake, subject)
        told = self._unloaded((known,))
        orphans = known.orphans - told.others
        return replace(known, births=known.births | told.births, orphans=orphans)

    def strangers(self, subject: Subject) -> frozenset[str]:
        """The anchors of events whose texts name the person, of whoever they are; all are read.

        Those that no run has taken in yet are among them: the live view has them already.
        """
        archive = ArchiveErasure(self.lake, (subject,))
        waiting = archive.strangers(archive.unloaded(self.moment))
        return (self._tables((subject,)).strangers() | waiting) - subject.keys

    def standing(self, subject: Subject) -> int:
        """How many events and pieces of evidence tell of the person, but of who came back."""
        tables = self._tables((subject,))
        counted = tables.count(tables.find(), (EVENTS, EVIDENCE))
        return sum(one.rows for one in counted.values()) + len(tables.strangers() - subject.keys)

    def written(self, keys: Iterable[str]) -> dict[str, int]:
        """When each of these objects was first written, of the versions there are (ms)."""
        return Objects(self.lake.s3, self.lake.bucket).written(keys)

    def unlawful(self, subject: Subject, keys: Collection[str]) -> set[str]:
        """Those of these raw objects with a line that the erasure would not leave as it is."""
        archive = ArchiveErasure(self.lake, (subject,), is_dry=True)
        return {key for key in keys if archive.raw([key]).lines}

    def count(self, subjects: Sequence[Subject]) -> Swept:
        """What a sweep of these persons would find; nothing is written."""
        told = tuple(subjects)
        tables = self._tables(told)
        found = tables.find()
        results = LooseErasure(self.lake, told, is_dry=True).clear(RESULTS)
        prefixes = self._prefixes(told, found, is_dry=True) | {RESULTS: results}
        return Swept(tables.count(found), prefixes)

    def sweep(self, subjects: Sequence[Subject], seen: Collection[str] = ()) -> Swept:
        """Takes these persons out of every store of the lake; what the tables held goes last.

        `seen` are raw objects and dropped files in which a search found something, beside those
        that tables name.
        """
        told = tuple(subjects)
        finish_left(self.lake, self.batch)
        tables = self._tables(told)
        self.progress.step("find", lambda: self._find(tables, told, seen))
        found = self._known() or Found()
        prefixes = self._prefixes(told, found, is_dry=False)
        tallies = tables.erase(found, self.batch, self.progress)
        owed = self.progress.step("owe", lambda: {"is": self._owe(told, found, tallies)})
        gone = sum(map(self._forgotten, ICEBERG))
        results = self.clear_results(told)  # of the tables as they had been, too
        return Swept(tallies, {**prefixes, RESULTS: results}, gone, bool(owed["is"]))

    def _find(
        self, tables: TableErasure, subjects: tuple[Subject, ...], seen: Collection[str]
    ) -> None:
        """Writes down what the tables hold of the persons, and what the archive is known to."""
        found = tables.find(self._known())
        objects = Objects(self.lake.s3, self.lake.bucket)
        found.objects.update(key for key in seen if objects.stands(key))
        self._keep(found)
        self.lake.tombstones.put_gone(found.gone | self._unloaded(subjects).gone)

    def _forgotten(self, table: LakeTable) -> int:
        def forgotten() -> dict[str, int]:
            return {"gone": forget_history(self.lake, table, self.moment)}

        return int(self.progress.step(f"history {table.name}", forgotten)["gone"])

    def clear_results(self, subjects: Sequence[Subject]) -> Cleaned:
        """Takes the results of all queries away, whoever is in them; counts those that tell."""
        return LooseErasure(self.lake, tuple(subjects)).clear(RESULTS)

    def scan(
        self, subjects: Sequence[Subject], only: Collection[str] | None = None
    ) -> dict[str, Scan]:
        """Reads every byte of the lake's bucket and of the audit log for these persons together.

        `only` are the keys of objects to which it keeps; these are read in one go.
        """
        buckets = [one for one in (self.lake.bucket, self.lake.audit_bucket) if one]
        progress = self.progress if only is None else Progress()
        return scan_buckets(self.lake.s3, buckets, needles_of(subjects), only, progress)

    def forget(self) -> None:
        """Takes the document of the sweep away."""
        Objects(self.lake.s3, self.lake.bucket).drop([self._key])

    def _unloaded(self, subjects: tuple[Subject, ...]) -> Told:
        """What the raw objects tell that no run has taken in yet."""
        archive = ArchiveErasure(self.lake, subjects)
        return archive.told(archive.unloaded(self.moment))

    def _tables(self, subjects: tuple[Subject, ...]) -> TableErasure:
        return TableErasure(self.lake, subjects, self.until_ms, self.moment)

    def _prefixes(
        self, subjects: tuple[Subject, ...], found: Found, *, is_dry: bool
    ) -> dict[str, Cleaned]:
        archive = ArchiveErasure(self.lake, subjects, is_dry)
        dropped = DropErasure(self.lake, subjects, self.moment, self.batch, is_dry)
        loose = LooseErasure(self.lake, subjects, is_dry)
        raw = (key for key in found.objects if key.startswith("raw/"))
        rejected = Objects(self.lake.s3, self.lake.bucket).keys("rejected/")
        files = dropped.told(found.receipts, found.objects)
        return {
            "raw/": self._through("raw/", {*raw, *archive.unloaded(self.moment)}, archive.raw),
            "rejected/": self._through("rejected/", rejected, archive.rejected),
            "imports/": self._through(
                "imports/", files, lambda keys: dropped.clean(files[key] for key in keys)
            ),
            **{prefix: self._through(prefix, [prefix], loose.clean) for prefix in LOOSE},
        }

    def _through(
        self, name: str, keys: Iterable[str], clean: Callable[[Sequence[str]], Cleaned]
    ) -> Cleaned:
        return Cleaned(**self.progress.through(name, keys, lambda some: asdict(clean(some))))

    # what outlives a crash

    @property
    def _key(self) -> str:
        return f"{FOLDER}/{self.batch}/found.json"

    def _known(self) -> Found | None:
        objects = Objects(self.lake.s3, self.lake.bucket)
        try:
            return Found.of(orjson.loads(objects.body(self._key)))
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def _keep(self, found: Found) -> None:
        text = orjson.dumps(found.to_dict())
        self.lake.s3.put_object(Bucket=self.lake.bucket, Key=self._key, Body=text)

    def _owe(
        self, subjects: tuple[Subject, ...], found: Found, tallies: Mapping[str, Tally]
    ) -> bool:
        """Has the next run compute everything anew where other persons are touched.

        Told as a failed run that displaced messages, which a run takes up like any other.
        """
        touched = any(subject.apart or subject.others for subject in subjects)
        if not touched or not any(tally.rows for tally in tallies.values()):
            return False
        figures = orjson.dumps({"displaced": max(1, len(found.redacted))}).decode()
        stages = ((WHOLE, FAILED, REASON, "{}"), ("load_events", "done", None, figures))
        rows = [self._run_row(*stage) for stage in stages]
        table = pa.Table.from_pylist(rows, schema=arrow_schema(RUNS))
        self.lake.catalogue.append(RUNS, table.to_reader(), Commit(self.batch, "owed"))
        return True

    def _run_row(self, stage: str, status: str, error: str | None, figures: str) -> dict[str, Any]:
        return {
            "run_id": self.batch,
            "seq": self.seq,
            "moment": self.moment,
            "stage": stage,
            "status": status,
            "error": error,
            "inputs": 0,
            "figures": figures,
            "workspace_version": self.lake.workspace().version,
            "closed_at": self.moment,
        }
