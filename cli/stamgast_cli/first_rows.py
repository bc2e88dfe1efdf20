"""The first rows of a file as a run will judge them, so that a wrong mapping is told at once."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from stamgast.workspace.import_mapping import ImportMapping
from stamgast_cli.errors import InputError
from stamgast_cli.verdicts import Verdicts

ROWS = 1_000
MOST_COLUMNS_SHOWN = 20


@dataclass(frozen=True)
class FirstRows:
    """What was said of the rows that were looked at, and their columns."""

    verdicts: Verdicts
    columns: tuple[str, ...]


def first_rows(file: Path, place: str, mapping: ImportMapping) -> FirstRows:
    """Return the verdicts on up to a thousand rows; raise InputError for what cannot be read."""
    # The engine takes longer to load than most verbs to run.
    from stamgast_lake.imports.mapping import mapper
    from stamgast_lake.imports.rows import UnreadableFileError, format_of, rows_of

    try:
        told = [value for value, _ in islice(rows_of(file, place, mapping.encoding), ROWS)]
        map_row = mapper(mapping, format_of(place))
    except (UnreadableFileError, OSError) as error:
        raise InputError(
            f"{file} cannot be read as {place!r}: {error}",
            hint="Its name ends in what it holds (.ndjson, .csv, .parquet); say --as otherwise.",
        ) from error
    verdicts = Verdicts(is_import=True)
    for value in told:
        verdicts.judge(map_row(value))
    named = next((value for value in told if isinstance(value, dict)), {})
    return FirstRows(verdicts, tuple(named))


def require_events(found: FirstRows, file: Path, source: str, mapping: ImportMapping) -> None:
    """Raise InputError where not one of the first rows is an event, or there is none."""
    told = found.verdicts
    if not told.rows:
        raise InputError(f"{file.name} has no rows", hint="A CSV file begins with a header.")
    if told.refused < told.rows:
        return
    columns = ", ".join(found.columns[:MOST_COLUMNS_SHOWN]) or "no named columns"
    raise InputError(
        f"none of the first {told.rows:,} rows of {file.name} is an event: {told.faults[0]}",
        hint=f"The mapping {mapping.match!r} of {source} in sources.yaml names the columns; "
        f"the file has {columns}.",
    )
