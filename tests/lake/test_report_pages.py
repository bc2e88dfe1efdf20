"""The pages of reports: whole in one file, escaped, readable without the pictures."""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from stamgast_cli.commands.segment_report import show
from stamgast_cli.drawing import TOKENS
from stamgast_cli.errors import InputError
from stamgast_cli.output import Output
from stamgast_cli.reports.files import write_report
from stamgast_cli.reports.segment_page import page_of
from stamgast_cli.reports.segment_pictures import PICTURES
from stamgast_cli.reports.sources_page import OVERVIEW, overview_of
from stamgast_cli.reports.sources_page import page_of as sources_page_of
from stamgast_cli.reports.words import money, number, share
from tests.lake.test_segment_report import report
from tests.lake.test_sources_report import report as sources


class Pictures(HTMLParser):
    """Collects what each picture says of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.says: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "svg":
            self.says.append(dict(attrs).get("aria-label"))


PAGES = pytest.mark.parametrize("name", ["segment", "sources"])


@cache
def page(name: str) -> str:
    return page_of(report()) if name == "segment" else sources_page_of(sources())


@PAGES
def test_a_page_is_whole_and_loads_nothing(name: str) -> None:
    text = page(name)
    assert not re.search(r"<script|<link|src=|@import|href=\"http", text)
    assert not re.search(r"\$[a-z{]", text)
    assert "@media print" in text


@PAGES
def test_every_picture_says_in_words_what_it_shows(name: str) -> None:
    pictures = Pictures()
    pictures.feed(page(name))
    assert pictures.says
    assert all(pictures.says)


def test_pictures_are_drawn_in_the_colours_of_the_page() -> None:
    drawn = "".join(re.findall("<svg.*?</svg>", page("segment"), re.DOTALL))
    told = re.findall(r"var\(--(\w+), (#\w+)\)", drawn)
    assert {TOKENS[colour] == name for name, colour in told} == {True}
    assert not [colour for colour in TOKENS if re.search(rf"(?<!, ){colour}", drawn)]


def with_hours() -> dict[str, Any]:
    """A report of people who are about on Tuesdays at nine, and half as often at ten."""
    told: dict[str, Any] = json.loads(json.dumps(report()))
    busy = [{"weekday": 2, "hour": hour, "events": 18 // hour, "people": 9} for hour in (9, 18)]
    told["persona"]["numbers"]["segment"]["hours"] = busy
    return told


def test_hours_are_as_full_of_the_colour_of_the_page_as_they_are_busy() -> None:
    drawn = PICTURES["hours"](with_hours())
    assert "<image" not in drawn
    assert re.findall(r"fill: var\(--blue, #2f5d8a\)(; opacity: 0.5)?\"", drawn) == [
        "",
        "; opacity: 0.5",
    ]


def test_hours_of_few_people_are_said_to_be_withheld() -> None:
    hours = report()["persona"]["numbers"]["segment"]
    assert (hours["hours"], hours["suppressed_hours"] > 0) == ([], True)
    persona = page("segment").split("Persona")[1].split("</section>")[0]
    assert f"{hours['suppressed_hours']} of the 168 hours of a week are withheld" in persona
    assert "<svg" not in persona
    assert "<svg" in page_of(with_hours()).split("Persona")[1].split("</section>")[0]


def test_nothing_of_the_data_becomes_markup() -> None:
    text = page("segment")
    assert "<title>Regulars &lt;b&gt;: a segment's report</title>" in text
    assert "Regulars <b>" not in text


def test_every_alphabet_is_shown_as_it_is_written() -> None:
    names = {one["value"] for one in report(least=1)["traits"]["rows"]}
    assert {"Δελφοί", "東京"} <= names
    told = {**report(), "title": "常連さん"}
    told["conversion"] = {**told["conversion"], "event": "購入"}
    assert "常連さん" in page_of(told)
    assert "購入" in PICTURES["conversion"](told)


def test_a_page_says_as_of_when_and_what_is_withheld() -> None:
    text = page("segment")
    assert "As of 2026-11-21 13:00" in text
    assert "days in Europe/Amsterdam" in text
    assert "fewer than 5 people are withheld" in text
    few = page_of(report("handful", least=10))
    assert "fewer than 10 people: no figure is shown" in few
    assert "<svg" not in few


def test_a_rule_that_has_changed_since_is_told() -> None:
    assert "The rule has changed since" not in page("segment")
    assert "The rule has changed since" in page_of({**report(), "is_as_the_rule_stands": False})


def test_the_json_stands_beside_the_page_and_holds_every_figure(tmp_path: Path) -> None:
    out = tmp_path / "new" / "regulars.html"
    write_report(report(), "<html>", out)
    assert out.read_text("utf-8") == "<html>"
    told: Any = json.loads(out.with_suffix(".json").read_text("utf-8"))
    assert told == json.loads(json.dumps(report()))


def test_a_page_is_not_overwritten_by_its_own_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="overwritten"):
        write_report({}, "", tmp_path / "report.json")


def test_the_terminal_tells_the_same_in_short(capsys: pytest.CaptureFixture[str]) -> None:
    show(report(), Output())
    told = capsys.readouterr().out
    assert "Regulars <b>" in told
    size = report()["size"]
    assert f"{size['segment']} of {size['everyone']} people are in it" in told
    show(report("handful", least=10), Output())
    assert "< 10" in capsys.readouterr().out


def test_the_overview_has_a_row_for_each_source() -> None:
    rows = overview_of(sources())
    assert [row[0] for row in rows] == ["Quiet", "Tills", "Web"]
    assert {len(row) for row in rows} == {len(OVERVIEW)}
    assert rows[0][1] == "never seen"


def test_amounts_are_told_in_the_units_of_their_currency() -> None:
    assert money(123_456, "EUR") == "1,234.56 EUR"
    assert money(123_456, "JPY") == "123,456 JPY"
    assert money(123_456, "KWD") == "123.456 KWD"
    assert money(2_000_000, "EUR") == "20,000 EUR"
    assert (money(None, "EUR"), share(None), share(0.125)) == ("–", "–", "12.5 %")
    assert [number(one) for one in (5.0, 2.345, 0.01234)] == ["5", "2.35", "0.0123"]
