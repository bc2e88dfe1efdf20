"""`stamgast send` and `stamgast import`: files of events, over HTTP or into the drop zone."""

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from stamgast.ingestion.spellings import UnknownFormatError, spelling_of
from stamgast.workspace.import_mapping import ImportMapping
from stamgast_cli.delivery import Delivery
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import InputError
from stamgast_cli.events import batches_of, events_of
from stamgast_cli.first_rows import first_rows, require_events
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.verdicts import Verdicts
from stamgast_cli.workspaces import store
from stamgast_lake.imports.mapping import mapping_for

FORMS = ("ndjson", "jsonl", "csv", "parquet")

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="NDJSON, CSV or Parquet (or .gz).")
]
SourceId = Annotated[
    str | None, typer.Option("--source", help="Use this source's mappings of the workspace.")
]
Place = Annotated[
    str | None,
    typer.Option("--as", help="The path by which a mapping is chosen; else the file's name."),
]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="PLACE=COLUMN", help="Map a column; may be repeated."),
]
Constant = Annotated[
    list[str] | None,
    typer.Option("--constant", metavar="PLACE=VALUE", help="A fixed value; may be repeated."),
]
Format = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="PLACE=FORMAT",
        help="How a number or moment is spelt: 1.234,56 or %d.%m.%Y; may be repeated.",
    ),
]
WriteKey = Annotated[
    str | None,
    typer.Option(
        "--write-key",
        envvar="STAMGAST_WRITE_KEY",
        help="On this machine: the server's key that `up` made.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse a batch with one bad event.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("send")(send)
    app.command("import")(put)


def send(
    file: File,
    source: SourceId = None,
    place: Place = None,
    column: Column = None,
    constant: Constant = None,
    form: Format = None,
    write_key: WriteKey = None,
    strict: Strict = False,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Send a file's rows as events over HTTP, in batches, again where that helps.

    Example: stamgast send orders.csv --column properties.order_id=id --constant type=track
    """
    output = Output(is_json=json)
    deployment = find(stack)
    key = write_key or deployment.write_key
    if not key:
        raise InputError("a write key is needed", hint="Say --write-key or STAMGAST_WRITE_KEY.")
    mapping = _mapping(deployment, source, place or file.name, column, constant, form)
    verdicts = Verdicts()
    sent = _deliver(deployment, key, file, mapping, verdicts, output, is_strict=strict)
    _tell(output, "refused", verdicts)
    counts = {"rows": verdicts.rows, "sent": sent, "refused": verdicts.refused}
    output.facts({**counts, **_why(output, verdicts)})
    if verdicts.refused or not verdicts.rows:
        raise typer.Exit(1)


def _tell(output: Output, label: str, verdicts: Verdicts) -> None:
    """Say which rows are no events, and which mean something else than their file says."""
    for fault in verdicts.faults:
        output.note(fault, f"{label}:")
    for warning in verdicts.warnings():
        output.note(warning, "beware:")
    if not verdicts.rows:
        output.note("the file has no rows", "beware:")


def _why(output: Output, verdicts: Verdicts) -> dict[str, list[str]]:
    """For machines: what `_tell` says to people, the first refusals and every warning."""
    if not output.is_json:
        return {}
    return {"faults": verdicts.faults, "warnings": verdicts.warnings()}


def _deliver(
    deployment: Deployment,
    key: str,
    file: Path,
    mapping: ImportMapping,
    verdicts: Verdicts,
    output: Output,
    *,
    is_strict: bool,
) -> int:
    sent = 0
    with (
        httpx.Client(base_url=deployment.ingest_url, timeout=60) as client,
        output.progress.status("Sending …") as spinner,
    ):
        delivery = Delivery(client, key, is_strict=is_strict)
        for count, body in batches_of(events_of(file, mapping, verdicts)):
            delivery.post(body)
            sent += count
            spinner.update(f"Sending … {sent:,} events")
    return sent


def put(
    file: File,
    source: Annotated[str, typer.Option("--source", help="The source that it comes from.")],
    place: Place = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Put a file into the drop zone, where the next run takes it: for long or old histories.

    Its first thousand rows are judged at once: a file of which none is an event stays here.

    Example: stamgast import baskets.parquet --source shop --as baskets/2024.parquet
    """
    output = Output(is_json=json)
    deployment = find(stack)
    name = _place(place or file.name)
    mapping = _of_source(deployment, source, name)  # what the run would refuse is refused now
    with output.step(f"Looking at the first rows of {file.name}"):
        found = first_rows(file, name, mapping)
    require_events(found, file, source, mapping)
    _tell(output, "would be refused", found.verdicts)
    key, size = f"imports/{source}/{name}", file.stat().st_size
    with output.transferring(f"Uploading {file.name}", size) as advance:
        bucket = deployment.output("LakeBucket")
        deployment.client("s3").upload_file(str(file), bucket, key, Callback=advance)
    told: dict[str, Any] = {
        "looked_at": found.verdicts.rows,
        "refused_of_these": found.verdicts.refused,
    }
    told.update(_why(output, found.verdicts))
    output.facts({"key": key, "bytes": size, **told, "next": "stamgast run"})


def _mapping(
    deployment: Deployment,
    source: str | None,
    place: str,
    columns: list[str] | None,
    constants: list[str] | None,
    formats: list[str] | None,
) -> ImportMapping:
    """Return the mapping that the options spell out, else the workspace's for this path."""
    if not (columns or constants or formats or source is None):
        return _of_source(deployment, source, place)
    spelt = _pairs(formats)
    try:
        for form in spelt.values():
            spelling_of(form)
    except UnknownFormatError as error:
        raise InputError(str(error)) from error
    return ImportMapping("*", _pairs(columns), _pairs(constants), spelt)


def _of_source(deployment: Deployment, source: str, place: str) -> ImportMapping:
    """Return the mapping that a source of the workspace has for a path."""
    known = store(deployment).current().sources
    if source not in known:
        raise InputError(f"there is no source {source!r}", hint=f"There are {', '.join(known)}.")
    found = mapping_for(place, known[source].imports)
    if found is None:
        globs = ", ".join(one["match"] for one in known[source].imports)
        raise InputError(
            f"no mapping of {source} matches {place!r}",
            hint=f"Its mappings match {globs}: say --as."
            if globs
            else f"It has no mapping yet: give {source} `imports` in sources.yaml.",
        )
    return found


def _place(told: str) -> str:
    """Return a path below a source's folder, whose name says the file's form."""
    form = told.lower().removesuffix(".gz").rpartition(".")[2]
    if form not in FORMS:
        raise InputError(
            f"{told!r} does not say what the file holds",
            hint=f"Its name ends in {', '.join(FORMS)}, with .gz behind or not: say --as.",
        )
    if not all(part not in ("", ".", "..") for part in told.split("/")):
        raise InputError(f"{told!r} is no path below the source's folder")
    return told


def _pairs(told: list[str] | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in told or []]
    for name, equals, _ in pairs:
        if not equals:
            raise InputError(f"{name!r} is no PLACE=VALUE")
    return {name: value for name, _, value in pairs}
