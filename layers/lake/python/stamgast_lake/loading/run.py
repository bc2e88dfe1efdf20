"""The stage `load` of a run: finishes what an earlier run left half committed, then its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.dataset as ds
from duckdb import DuckDBPyConnection

from stamgast_lake.archive import IMPORT, LakeObject, fetch_all
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import session
from stamgast_lake.erasure.archive import ArchiveErasure
from stamgast_lake.erasure.dropped import DropErasure
from stamgast_lake.imports.take import Imported
from stamgast_lake.inputs import ImportInput, known
from stamgast_lake.lake import Lake
from stamgast_lake.loading.audit import audit
from stamgast_lake.loading.duplicates import ERASED
from stamgast_lake.loading.load import STAGE, Loader, values_of
from stamgast_lake.loading.parallel import stage_in_workers, workers_for
from stamgast_lake.loading.redelivered import note_audited, note_redelivered
from stamgast_lake.loading.stage import REJECTED, Reading, Taken, stage
from stamgast_lake.loading.unheld import Unheld, unheld
from stamgast_lake.retention.run import retain_daily
from stamgast_lake.runs import inputs_of
from stamgast_lake.tables import EVENTS, RAW_FILES

STAGED = """
    create temp view staged as
    select * from read_parquet('{new}/*.parquet')
    union all
    select * from read_parquet('{again}/*.parquet')
    where receipt_id in (select receipt_id from unheld_copy)
"""
ERASED_OBJECTS = f"select distinct raw_object from staged where reason = '{ERASED}'"


def load_run(lake: Lake, run_id: str) -> dict[str, int]:
    """Loads the run's objects; returns its figures. Repeating it changes nothing."""
    finish_left(lake, run_id)
    audited = _audited(lake, run_id)
    figures = _load(lake, run_id)
    return {
        **figures,
        "displaced": figures["displaced"] + audited,
        **_retained(lake, run_id),
    }


def finish_left(lake: Lake, run_id: str) -> None:
    """Finishes the load that an earlier run left half committed."""
    left = unfinished(lake, run_id)
    if left is not None:
        _load(lake, left)


def _audited(lake: Lake, run_id: str) -> int:
    if not inputs_of(lake, run_id).is_thorough:
        return 0
    with session() as connection:
        return audit(lake.catalogue, connection, run_id, partial(note_audited, lake, run_id))


def _retained(lake: Lake, run_id: str) -> dict[str, int]:
    """Takes out what is past its days, once a day; the figures of what ended."""
    inputs = inputs_of(lake, run_id)
    moment = datetime.fromisoformat(inputs.moment).astimezone(UTC)
    return retain_daily(lake, run_id, inputs.seq, moment)


def unfinished(lake: Lake, run_id: str) -> str | None:
    """The other run whose load began to commit and never reached the ledger, if there is one."""
    commit = lake.catalogue.last_commit(EVENTS, STAGE)
    if commit is None or commit.run_id == run_id or is_loaded(lake, commit.run_id):
        return None
    return commit.run_id


def _load(lake: Lake, run_id: str) -> dict[str, int]:
    objects, imports = _objects(lake, run_id)
    left = unheld(lake, run_id, STAGE)
    with _staged(lake, objects, left) as (taken, connection):
        note = partial(note_redelivered, lake, run_id)
        loader = Loader(lake.catalogue, connection, run_id, lake.tombstones, left, note)
        figures = loader.load([*taken, *imports])
        rewritten = _keep_away(lake, connection, objects) + _keep_out_of_files(lake, run_id)
        return {**figures, "rewritten": rewritten}


def _keep_away(lake: Lake, connection: DuckDBPyConnection, objects: list[LakeObject]) -> int:
    """Takes out of new objects what an erasure keeps away; how many were written anew.

    So nothing stays of a person in an archive that somebody put back, or in what was on its way.
    """
    tombstones = lake.tombstones.all()
    if not tombstones:
        return 0
    archive = ArchiveErasure(lake, (), standing=tombstones)
    raw = [key for key in values_of(connection, ERASED_OBJECTS) if key.startswith("raw/")]
    rejected = [one.key for one in objects if one.kind == REJECTED]
    return (archive.raw(raw) + archive.rejected(rejected)).rewritten


def _keep_out_of_files(lake: Lake, run_id: str) -> int:
    """Takes the rows that an erasure keeps away out of the dropped files; of how many files."""
    inputs, rewritten = inputs_of(lake, run_id), 0
    for one in inputs.imports:
        imported = Imported.from_json(lake.document(run_id, import_document(one)))
        if imported.barred:
            erasure = DropErasure(lake, (), datetime.fromisoformat(inputs.moment), run_id)
            rewritten += int(erasure.leave_out(one, imported.barred) > 0)
    return rewritten


@contextmanager
def _staged(
    lake: Lake, objects: list[LakeObject], left: Unheld
) -> Iterator[tuple[list[Taken], DuckDBPyConnection]]:
    """The rows of the objects, and of the copies that are left, as the view `staged`."""
    reading = Reading(lake.workspace().identity, lake.keyring(), lake.tombstones.all())
    with TemporaryDirectory(prefix="stamgast-staged-") as folder, session() as connection:
        bodies = fetch_all(lake.s3, lake.bucket, objects)
        workers = workers_for(sum(one.bytes for one in objects))
        take = stage if workers < 2 else partial(stage_in_workers, workers=workers)
        taken = take(bodies, reading, Path(folder))
        again = Path(folder) / "again"
        again.mkdir()
        stage(fetch_all(lake.s3, lake.bucket, left.objects), reading, again)
        left.name(connection)
        connection.execute(STAGED.format(new=folder, again=again))
        yield taken, connection


def _objects(lake: Lake, run_id: str) -> tuple[list[LakeObject], list[Taken]]:
    """The run's objects that no other run has taken in since, and its files with their rows."""
    inputs = inputs_of(lake, run_id)
    found = {one.key: one for one in inputs.objects}
    imports = []
    for one in inputs.imports:
        imported = Imported.from_json(lake.document(run_id, import_document(one)))
        found |= {part.key: part for part in imported.objects}
        imports.append(Taken(_as_object(one), imported.rows, int(imported.fault is not None)))
    loaded = known(lake.catalogue, {one.arrived_on for one in found.values()}, without_run=run_id)
    return [one for key, one in sorted(found.items()) if key not in loaded], imports


def import_document(given: ImportInput) -> str:
    """The name of the document that says what became of a file."""
    return f"imports/{given.tag}.json"


def _as_object(given: ImportInput) -> LakeObject:
    return LakeObject(given.key, given.etag, given.bytes, IMPORT, given.received_at[:10])


def is_loaded(lake: Lake, run_id: str) -> bool:
    """Whether the run's load is wholly committed: the ledger comes last.

    An erasure forgets the snapshot that told so, and then the ledger's rows do.
    """
    if lake.catalogue.is_done(RAW_FILES, Commit(run_id, STAGE)):
        return True
    told: int = lake.catalogue.dataset(RAW_FILES).count_rows(ds.field("run_id") == run_id)
    return told > 0
