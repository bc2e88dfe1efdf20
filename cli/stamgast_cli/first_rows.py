"""The first rows of a file as a run will judge them, so that a wrong mapping is told at once."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.accept import accept
from stamgast.ingestion.verdicts import Receipt, Rejected
from stamgast.workspace.import_mapping import ImportMapping
from stamgast_cli.errors import InputError

ROWS = 1_000
MOST_COLUMNS_SHOWN = 20


@dataclass(frozen=True)
class FirstRows:
    """How many rows were looked at, what was refused of them (`row 3: …`), and their columns."""

    rows: int
    refused: tuple[str, ...]
    columns: tuple[str, ...]


def first_rows(file: Path, place: str, source: str, mapping: ImportMapping) -> FirstRows:
    """Return the verdicts on up to a thousand rows; raise InputError for what cannot be read."""
    # The engine takes longer to load than most verbs to run.
    from stamgast_lake.imports.mapping import mapper
    from stamgast_lake.imports.rows import UnreadableFileError, format_of, rows_of

    try:
        told = [value for value, _ in islice(rows_of(file, place), ROWS)]
        columns = tuple(told[0]) if told and isinstance(told[0], dict) else ()
        map_row = mapper(mapping, format_of(place))
        events = [map_row(value) for value in told]
    except (UnreadableFileError, OSError) as error:
        raise InputError(
            f"{file} cannot be read as {place!r}: {error}",
            hint="Its name ends in what it holds (.ndjson, .csv, .parquet); say --as otherwise.",
        ) from error
    receipt = Receipt("look", 0, source, Assurance.VERIFIED, is_import=True, file="look")
    refused = tuple(_told(one) for one in accept(events, receipt).rejected)
    return FirstRows(len(told), refused, columns)


def require_events(found: FirstRows, file: Path, source: str, mapping: ImportMapping) -> None:
    """Raise InputError where not one of the first rows is an event."""
    if not found.rows or len(found.refused) < found.rows:
        return
    columns = ", ".join(found.columns[:MOST_COLUMNS_SHOWN]) or "no named columns"
    raise InputError(
        f"none of the first {found.rows:,} rows of {file.name} is an event: {found.refused[0]}",
        hint=f"The mapping {mapping.match!r} of {source} in sources.yaml names the columns; "
        f"the file has {columns}.",
    )


def _told(one: Rejected) -> str:
    place = f"{one.fault.path}: " if one.fault.path else ""
    return f"row {one.position + 1}: {place}{one.fault.message}"
