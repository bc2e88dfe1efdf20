"""`stamgast links try`: which records of a file are probably one person, tried by hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stamgast_cli.errors import InputError
from stamgast_cli.options import Json
from stamgast_cli.output import Output

if TYPE_CHECKING:
    from stamgast_cli.linking.files import Tried

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="CSV or Parquet; several are one set.")
]
Id = Annotated[
    str | None,
    typer.Option("--id", metavar="COLUMN", help="Names each record; left out: its row's number."),
]
Truth = Annotated[
    str | None,
    typer.Option("--truth", metavar="COLUMN", help="The person, if known; only to judge by."),
]
Named = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="COLUMN=HEADER", help="A comparison column; repeatable."),
]
Ignored = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="HEADER", help="Not compared; repeatable.")
]
Least = Annotated[float, typer.Option("--least", help="Tell pairs from this probability on.")]
Into = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write all pairs: .csv or .parquet.")
]
Shown = Annotated[int, typer.Option("--show", help="How many pairs to show; JSON has all.")]
SHOWN = 20


def try_links(
    files: Files,
    id_column: Id = None,
    truth: Truth = None,
    column: Named = None,
    ignore: Ignored = None,
    least: Least = 0.5,
    out: Into = None,
    show: Shown = SHOWN,
    json: Json = False,
) -> None:
    """Link the records of a file with the default configuration, without a label.

    Example: stamgast links try persons.csv --id rec_id --column surname=name_2

    Headers are recognised (first_name, dob, zip …); --column says what is not. Nothing is stored
    and nothing leaves this machine.
    """
    if not 0 < least < 1:
        raise InputError(f"--least {least} is no probability", hint="Say one such as 0.95.")
    from stamgast_cli.linking.files import try_files  # the engine takes a second to load

    output = Output(is_json=json)
    named = _pairs(column or [])
    tried = try_files(
        files, output, id_column=id_column, truth=truth, named=named, ignore=ignore or [],
        least=least,
    )  # fmt: skip
    if out is not None:
        tried.write(out)
    if json:
        output.document({**tried.report(), "pairs": tried.pairs()})
        return
    _tell(output, tried, show)


def _pairs(told: list[str]) -> dict[str, str]:
    pairs = {}
    for one in told:
        name, equals, header = one.partition("=")
        if not equals or not name or not header:
            raise InputError(f"--column {one!r} is not COLUMN=HEADER", hint="surname=name_2")
        pairs[name] = header
    return pairs


def _tell(output: Output, tried: "Tried", show: int) -> None:
    report = tried.report()
    output.rows(("column", "header"), [[*one] for one in report["columns"].items()])
    for note in report["notes"]:
        output.note(note)
    output.facts({name: report[name] for name in FACTS if name in report})
    if "quality" in report:
        names = ("threshold", "f1", "precision", "recall", "pairs")
        judged = [[_rounded(one[name]) for name in names] for one in report["quality"]]
        output.rows(names, judged, title="Against the truth")
    rows = [_shown(one) for one in tried.pairs(show)]
    output.rows(("a", "b", "probability", "what it weighs, in bits"), rows, title="Likeliest pairs")


FACTS = (
    "records", "pairs_found", "compared", "expected_matches", "estimated_blocking_recall",
    "blocking_recall", "true_pairs", "model", "seconds", "calibration",
)  # fmt: skip


def _shown(pair: Mapping[str, Any]) -> list[str]:
    weights = sorted(pair["weights"].items(), key=lambda one: -abs(one[1]))
    told = ", ".join(f"{name} {bits:+.1f}" for name, bits in weights)
    return [pair["a"], pair["b"], f"{pair['probability']:.4f}", told]


def _rounded(value: float) -> float:
    return round(value, 4)
