"""`stamgast segment export`: the members whose consent covers a purpose, as a file with receipt."""

import json as json_of
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from stamgast_cli.commands.asking import ask
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import StamgastError
from stamgast_cli.exported import fetch
from stamgast_cli.jobs import finished
from stamgast_cli.options import Json, Stack, Token
from stamgast_cli.output import Output

Name = Annotated[str, typer.Argument(help="The segment's name in segments.yaml.")]
Purpose = Annotated[
    str, typer.Option("--purpose", help="What for; only people whose consent covers it leave.")
]
Fields = Annotated[
    str,
    typer.Option(
        "--fields", help="With commas: person_id, traits.email, identifiers.phone, rfm.segment …"
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Left out: a name that says what it is."),
]


class Format(Enum):
    """The forms of a file."""

    CSV = "csv"
    PARQUET = "parquet"


FormatOption = Annotated[
    Format,
    typer.Option("--format", help="csv opens safely in spreadsheets; parquet has raw values."),
]


class ExportError(StamgastError):
    """The export came to no file."""


def export(
    name: Name,
    purpose: Purpose,
    fields: Fields,
    form: FormatOption = Format.CSV,
    out: Out = None,
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Write a segment's members to a file: whoever allows the purpose, the fields and no others.

    Example: stamgast segment export champions --purpose email --fields traits.email,rfm.segment

    It is as of the last run, each consent asked again just before its row is written. The receipt
    lies beside the file; the lake's table egress_receipts has a row for each person.
    """
    output, deployment = Output(is_json=json), find(stack)
    asked = {
        "segment": name,
        "purpose": purpose,
        "fields": [field.strip() for field in fields.split(",") if field.strip()],
        "format": form.value,
    }
    with output.step(f"Exporting {name}"):
        receipt = _receipt(deployment, token, asked)
        path = fetch(receipt, out)
    told = _kept(receipt, path)
    if json:
        output.document(told)
        return
    output.facts(
        {
            "file": str(path),
            "as of": receipt["as_of"],
            "members": receipt["members"],
            "exported": receipt["exported"],
            **{f"because {why}": count for why, count in receipt["reasons"].items()},
            "receipt": f"{receipt['export']} (egress_receipts)",
        }
    )


def _receipt(deployment: Deployment, token: str | None, asked: dict[str, Any]) -> dict[str, Any]:
    job = finished(
        deployment, token, ask(deployment, token, "POST", "/v1/segments:export", json=asked)
    )
    if job["answer"] is None:
        raise ExportError(str(job["message"]), hint="Nothing has left.")
    answer: dict[str, Any] = job["answer"]
    return answer


def _kept(receipt: dict[str, Any], path: Path) -> dict[str, Any]:
    """The receipt beside the file, without the addresses, which end within minutes."""
    files = [{k: v for k, v in file.items() if k != "url"} for file in receipt["files"]]
    told = {**receipt, "files": files, "file": str(path)}
    beside = path.with_name(f"{path.name}.receipt.json")
    beside.write_text(json_of.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return told
