"""What the command shows: progress on standard error, results on standard output."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

# A pipe has no width: rows stay on one line.
WIDE = 200


class Output:
    """Either for a person or, with `--json`, for a machine."""

    def __init__(self, *, is_json: bool = False) -> None:
        self.is_json = is_json
        self.console = Console(width=None if sys.stdout.isatty() else WIDE)
        self.progress = Console(stderr=True, quiet=is_json)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show that something takes its time, and how long it took."""
        began = time.monotonic()
        with self.progress.status(Text(f"{label} …")):
            yield
        seconds = f"{time.monotonic() - began:.1f} s"
        self.progress.print(Text.assemble(("✓", "green"), f" {label} ", (seconds, "dim")))

    @contextmanager
    def steps(self, label: str) -> Iterator[Callable[[str, int, int], None]]:
        """Show that something takes its time, and how much of it is done: what, so many of how
        many, which the function that it hands out is told."""
        began, told = time.monotonic(), dict[str, str]()
        with self.progress.status(Text(f"{label} …")) as status:

            def passed(what: str, done: int, of: int) -> None:
                told[what] = f"{done:,} of {of:,} {what}"
                status.update(Text(f"{label}: {told[what]} …"))

            yield passed
        counts = "".join(f", {one}" for one in told.values())
        seconds = f"{time.monotonic() - began:.1f} s"
        self.progress.print(Text.assemble(("✓", "green"), f" {label}{counts} ", (seconds, "dim")))

    @contextmanager
    def counting(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar; the function that it hands out moves it on."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self.progress) as bar:
            task = bar.add_task(label, total=total)
            yield lambda steps: bar.advance(task, steps)

    @contextmanager
    def transferring(self, label: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """Show how much of a file has gone; the function that it hands out takes bytes."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self.progress) as bar:
            task = bar.add_task(label, total=size_bytes)
            yield lambda moved: bar.advance(task, moved)

    def note(self, text: str, label: str = "", style: str = "yellow") -> None:
        """Say something by the way, which no machine reads; brackets in it are text, not style."""
        told = Text.assemble((f"{label} " if label else "", style), text)
        self.progress.print(told)

    def facts(self, told: Mapping[str, Any]) -> None:
        """Print named values."""
        if self.is_json:
            self.document(told)
            return
        width = max((len(name) for name in told), default=0)
        for name, value in told.items():
            label = Text(f"{name.replace('_', ' '):<{width}}  ", style="dim")
            self.console.print(label, Text(_short(value)), sep="", soft_wrap=True)

    def rows(
        self, names: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None
    ) -> None:
        """Print a table, or a list of objects."""
        if self.is_json:
            self.document([dict(zip(names, row, strict=True)) for row in rows])
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        for name in names:
            table.add_column(Text(name), overflow="fold")
        for row in rows:
            table.add_row(*(Text(_short(value)) for value in row))
        self.console.print(table)
        if not rows:
            self.note("No rows.")

    def document(self, told: Any) -> None:
        """Print JSON; indented and coloured where a person reads it."""
        text = json.dumps(told, default=_plain, ensure_ascii=False, indent=2)
        if sys.stdout.isatty() and not self.is_json:
            self.console.print_json(text)
        else:
            sys.stdout.write(text + "\n")


def _short(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return str(value)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)
