"""An explanation as one self-contained page: no script, no font, no picture from elsewhere."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from stamgast_cli.explain.graph import picture_of
from stamgast_cli.explain.words import (
    Json,
    calibration_of,
    name_of,
    pair_of,
    persons_of,
    short,
    source_of,
    support_of,
    weakness_of,
)

TEMPLATE = Path(__file__).with_name("page.html")


def write_page(answer: Json, file: Path) -> None:
    """Writes the page; only its owner may read it, for it may name people."""
    file.touch(mode=0o600)
    file.write_text(page_of(answer), encoding="utf-8")


def page_of(answer: Json) -> str:
    """The page of an explanation."""
    weakest = answer["weakest"]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        person=escape(short(answer["person_id"])),
        identifier=escape(name_of(answer["identifier"])),
        source=escape(source_of(answer)),
        counts=_counts(answer),
        weakest=escape(f"{pair_of(weakest)}: {support_of(weakest)}; {weakness_of(weakest)}")
        if weakest
        else "none",
        picture=picture_of(answer),
        cuts=_rows([pair_of(one), persons_of(one)] for one in answer["cuts"]),
        refused=_rows(
            [pair_of(one), one["reason"], one["because"], support_of(one)]
            for one in answer["refused"]
        ),
        evidence=_rows(
            [pair_of(one), support_of(one), one["rule"], "bridge" if one["is_bridge"] else ""]
            for one in answer["evidence"]
        ),
        constraints=_rows(
            [pair_of(one), one["by"] or "", one["recorded_at"] or "", one["reason"] or ""]
            for one in answer["cannot_links"]
        ),
        believed=_rows(
            [
                pair_of(one),
                f"{one['probability']:.3f}, {calibration_of(one)}",
                one["state"],
                _weights(one["reasons"]),
            ]
            for one in answer["provisional"]
        ),
    )


def _counts(answer: Json) -> str:
    told = {
        "identifiers": len(answer["identifiers"]),
        "edges": len(answer["evidence"]),
        "bridges": answer["bridges"],
        "refused": len(answer["refused"]),
        "off": len(answer["off"]),
        "believed": len(answer["provisional"]),
    }
    return " · ".join(f"{count} {name}" for name, count in told.items())


def _weights(reasons: Json) -> str:
    return ", ".join(f"{name} {weight}" for name, weight in reasons.items())


def _rows(rows: Iterable[list[str]]) -> str:
    told = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return told or "<tr><td>none</td></tr>"
