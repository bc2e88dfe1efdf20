"""What ingestion says of a file's rows, told by the command before anybody has to look for it."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.identity.orders import unread_amount
from stamgast.ingestion.accept import accept
from stamgast.ingestion.verdicts import Noted, Receipt

MOST_FAULTS = 10
# Notes after which an event means something else than its file says.
COSTLY = {
    "time_unreadable": "no moment can be read from {place}: the event counts as of its arrival",
    "time_clamped": "its moment lies outside the last 20 years: the event counts as of its arrival",
    "format_unfit": "{place} is not of the mapping's format, and stays as it is",
}
NO_MONEY = "no amount can be read from {place}: the order counts no money; say its format"


@dataclass
class Verdicts:
    """Counts of rows; `faults` names the first that are refused (`row 3: …`), `notes` how many
    rows mean something else than they say, by the reason."""

    is_import: bool = False
    rows: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def judge(self, row: object) -> None:
        """Count the next row by the very rules of ingestion; the row stays as it is."""
        self.rows += 1
        event, notes = (row.event, row.notes) if isinstance(row, Noted) else (row, ())
        if isinstance(event, dict):
            event = Noted(orjson.loads(orjson.dumps(event)), notes)
        envelope = accept([event], self._receipt())
        for one in envelope.rejected:
            place = f"{one.fault.path}: " if one.fault.path else ""
            self.refuse(f"{place}{one.fault.message}")
        for accepted in envelope.accepted:
            self.notes.update(_told(accepted.notes))
            self.notes.update(_without_money(orjson.loads(accepted.body)))

    def refuse(self, why: str) -> None:
        """Note that the row at hand is refused."""
        self.refused += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(f"row {self.rows}: {why}")

    def warnings(self) -> list[str]:
        """Return a sentence for each reason, with its number of rows."""
        return [f"{count:,} of {self.rows:,} rows: {why}" for why, count in self.notes.items()]

    def _receipt(self) -> Receipt:
        file = "look" if self.is_import else None
        now_ms = int(time.time() * 1000)
        return Receipt(
            "look", now_ms, "look", Assurance.VERIFIED, is_import=self.is_import, file=file
        )


def _without_money(body: dict[str, Any]) -> list[str]:
    unread = unread_amount(body)
    return [NO_MONEY.format(place=f"properties.{unread}")] if unread else []


def _told(notes: Iterable[str]) -> list[str]:
    told = (note.partition(":") for note in notes)
    return [COSTLY[kind].format(place=place) for kind, _, place in told if kind in COSTLY]
