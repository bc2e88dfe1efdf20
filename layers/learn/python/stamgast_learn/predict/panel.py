"""The panel that a model learns of: a row a person and cut-off, a column a feature."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.lifetime.histories import Histories
from stamgast_learn.parquet import Column, Columns, read_columns

LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows of people at cut-offs.

    `measured` is (rows, features) with NaN where nothing is known; `label` is NaN where people are
    to be scored; `cut_on` counts days since 1970; `histories` are there for lifetime values; `was`
    is what the version that scores said of a person last, NaN where it said nothing; `received` is
    `measured` as far as it had come by the newest cut-off, where some of it came later;
    `quiet_days` is how long ago a person who is to be scored was seen last; `listed` whether links
    without a time hold a person together, where there are any; `last` what came to the person the
    last time that could be known at the cut-off, NaN where nothing could, once `with_last` told it.
    """

    person: Column
    cut_on: NDArray[np.int64]
    label: Floats
    measured: Floats
    features: tuple[str, ...]
    histories: Histories | None = None
    was: Floats | None = None
    received: Floats | None = None
    quiet_days: Floats | None = None
    listed: Floats | None = None
    last: Floats | None = None

    def __len__(self) -> int:
        """How many rows."""
        return len(self.label)

    def at(self, rows: Labels) -> "Panel":
        """The rows of a mask."""
        histories = None if self.histories is None else self.histories.at(np.flatnonzero(rows))
        beside = (self.was, self.received, self.quiet_days, self.listed, self.last)
        kept = (None if one is None else one[rows] for one in beside)
        return Panel(
            *(self.person[rows], self.cut_on[rows], self.label[rows], self.measured[rows]),
            *(self.features, histories),
            *kept,
        )

    @property
    def as_received(self) -> "Panel":
        """The rows of the newest cut-off as far as they had come by then, without people of whom
        nothing had; of older ones all that is known now, which is what may be learnt."""
        if self.received is None or not len(self):
            return self
        newest = self.cut_on == self.cuts[-1]
        told = np.where(newest[:, None], self.received, self.measured)
        is_unknown = newest & np.isnan(told).all(axis=1) & ~np.isnan(self.measured).all(axis=1)
        return replace(self, measured=told).at(~is_unknown)

    @property
    def labelled(self) -> "Panel":
        """The rows whose outcome is known."""
        return self.at(~np.isnan(self.label))

    @property
    def to_score(self) -> "Panel":
        """The rows of people now."""
        return self.at(np.isnan(self.label))

    @property
    def known(self) -> Histories:
        """What is known of each row's purchases; raises AbstainedError where that is nothing."""
        if self.histories is None:
            raise AbstainedError("the panel holds no purchase histories")
        return self.histories

    @property
    def cuts(self) -> NDArray[np.int64]:
        """The cut-offs, the oldest first."""
        return np.unique(self.cut_on)


def with_last(panel: Panel, within_days: int) -> Panel:
    """The panel, and of each row what came to the person at the newest cut-off of which the
    outcome was known by then; of someone with several rows there, whether it came to any."""
    people, of = np.unique(panel.person, return_inverse=True)
    last = np.full(len(panel), np.nan)
    for cut in panel.cuts:
        known = panel.cuts[panel.cuts + within_days <= cut]
        if len(known):
            then, here = panel.cut_on == known[-1], panel.cut_on == cut
            came = np.full(len(people), -1.0)
            np.maximum.at(came, of[then], panel.label[then])
            told = came[of[here]]
            last[here] = np.where(told < 0, np.nan, told)
    return replace(panel, last=last)


def read_panel(path: Path, features: Sequence[str], version: str | None = None) -> Panel:
    """The panel of a file with columns person_id, cut_on, label, f0, f1, …

    With a `version`, what that one said of people before is read, too.
    """
    columns = read_columns(path)
    measured = [columns[f"f{place}"].astype(np.float64) for place in range(len(features))]
    shape = (len(columns["label"]), 0)
    return Panel(
        person=columns["person_id"],
        cut_on=columns["cut_on"].astype("datetime64[D]").astype(np.int64),
        label=columns["label"].astype(np.float64),
        measured=_finite(np.column_stack(measured)) if measured else np.zeros(shape),
        features=tuple(features),
        histories=_histories(columns),
        was=_was(columns, version),
        received=_received(columns, len(features)),
        quiet_days=_told(columns, "quiet_days"),
        listed=_told(columns, "listed"),
    )


def _told(columns: Columns, name: str) -> Floats | None:
    return columns[name].astype(np.float64) if name in columns else None


def _was(columns: Columns, version: str | None) -> Floats | None:
    if version is None or "was_value" not in columns:
        return None
    was: Floats = columns["was_value"].astype(np.float64)
    return np.where(columns["was_version"] == version, was, np.nan)


def _received(columns: Columns, features: int) -> Floats | None:
    if "g0" not in columns:
        return None
    return _finite(
        np.column_stack([columns[f"g{place}"].astype(np.float64) for place in range(features)])
    )


def _finite(measured: Floats) -> Floats:
    """What is infinite, or whose square would be, is no number to learn of: it is unknown."""
    return np.where(np.abs(measured) < LARGEST, measured, np.nan)


def _histories(columns: Columns) -> Histories | None:
    if "repeats" not in columns:
        return None
    recency, age, spend = (
        columns[name].astype(np.float64) for name in ("recency", "age", "mean_spend")
    )
    return Histories(columns["repeats"].astype(np.int64), recency, age, spend)
