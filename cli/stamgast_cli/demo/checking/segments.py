"""RFM, stages of life, computed traits and segments, recomputed from the source with pandas."""

import json
from typing import Any

import pandas as pd

from stamgast_cli.demo.checking.buyers import Bought, bought, latest, rhythms, scored
from stamgast_cli.demo.checking.stack import Stack, Verdict

DRINKS = ("BEERS/ALES", "DOMESTIC WINE", "IMPORTED WINE")


def check_segments(verdict: Verdict, stack: Stack, sent: pd.DataFrame, report: Any) -> None:
    """Every comparison about who belongs where."""
    runs = stack.table("runs", "moment", "stage", "status")
    moment = runs.loc[(runs["stage"] == "run") & (runs["status"] == "done"), "moment"].max()
    all_ = bought(stack, moment, report["segments"]["time_zone"])
    verdict.equal("orders whose time is off by 2 s or more", 0, _off(all_.orders, report))
    known = set(sent.loc[sent["kind"] == "event", "order_id"].dropna())
    if not sum(report["events"]["before"].values()):
        verdict.equal("orders of a person", len(known), len(all_.orders))
    buyers, habits = scored(all_), rhythms(all_)
    _check_rfm(verdict, stack, buyers, report)
    _check_stages(verdict, habits, report)
    _check_traits(verdict, stack, all_, habits, report)
    _check_members(verdict, stack, all_, buyers, report)


def _off(orders: pd.DataFrame, report: Any) -> int:
    """How many orders have another time of their own than the till's, or were corrected by more
    than they can have been on their way: a request took no longer than all of the sending."""
    told = orders["told_at"] + pd.Timedelta(weeks=report["shift_weeks"])
    own, corrected = (orders[at].dt.tz_localize(None) - told for at in ("original_at", "event_at"))
    sending = next(p["seconds"] for p in report["phases"] if p["phase"].startswith("Sending"))
    longest = pd.Timedelta(seconds=max(2.0, sending))
    is_off = (own.abs() >= "2s") | (corrected <= "-2s") | (corrected >= longest)
    return int(is_off.sum())


def _check_rfm(verdict: Verdict, stack: Stack, buyers: pd.DataFrame, report: Any) -> None:
    found = latest(stack, "rfm", "person_id", "r", "f", "m", "segment", "monetary_minor")
    found = found.dropna(subset=["segment"])
    verdict.equal("buyers with scores", len(buyers), len(found))
    both = buyers.join(found, rsuffix="_lake", how="left")
    for name in ("r", "f", "m"):
        differs = int((both[name] != both[f"{name}_lake"]).sum())
        verdict.equal(f"buyers whose {name.upper()} score differs", 0, differs)
    verdict.equal("buyers whose cell differs", 0, int((both["cell"] != both["segment"]).sum()))
    differs = int((both["cents"] != both["monetary_minor"]).sum())
    verdict.equal("buyers whose money differs by a cent or more", 0, differs)
    told = {one["segment"]: one["persons"] for one in report["rfm"]["groups"]}
    verdict.equal("report: buyers in each cell", buyers["cell"].value_counts().to_dict(), told)


def _check_stages(verdict: Verdict, habits: pd.DataFrame, report: Any) -> None:
    told = dict(report["segments"]["lifecycle"])
    told.pop("prospect", None)
    verdict.equal("report: stages of life", habits["stage"].value_counts().to_dict(), told)


def _check_traits(
    verdict: Verdict, stack: Stack, all_: Bought, habits: pd.DataFrame, report: Any
) -> None:
    log = latest(stack, "computed_traits", "person_id", "traits")["traits"].map(json.loads)
    orders, since = all_.orders, all_.today - pd.Timedelta(days=364)
    year = orders[orders["day"] >= since]
    soft = set(all_.lines.loc[all_.lines["category"] == "SOFT DRINKS", "order_id"])
    has_soft = orders["order_id"].isin(soft).groupby(orders["person"])
    last = orders.groupby("person")["day"].max().dt.strftime("%Y-%m-%d")
    expected = {
        "average_basket": (year.groupby("person")["cents"].mean() / 100),
        "usual_interval": habits["usual"].dropna(),
        "share_with_soft_drinks": has_soft.mean(),
        "days_since_last_basket": last,
        "favourite_store": _favourites(year),
    }
    for name, values in expected.items():
        found = log.map(lambda told, name=name: told.get(name)).dropna()
        found = found.map(lambda told: told["$since"] if isinstance(told, dict) else told)
        differs = _different(pd.DataFrame({"expected": values, "found": found}))
        verdict.equal(f"persons whose {name} differs", 0, differs)
        told = next(one for one in report["segments"]["traits"] if one["trait"] == name)
        verdict.equal(f"report: persons with {name}", len(values), told["people"])


def _different(both: pd.DataFrame) -> int:
    """Rows that differ; numbers by a millionth or more, which is more than their sums' rounding."""
    if pd.api.types.is_numeric_dtype(both["expected"]):
        apart = (both["expected"] - both["found"].astype(float)).abs()
        return int((~(apart < 1e-6)).sum())
    return int((both["expected"] != both["found"]).sum())


def _favourites(orders: pd.DataFrame) -> pd.Series:
    """The store of most orders, among equals the one seen last."""
    of = orders.groupby(["person", "store"]).agg(orders=("cents", "size"), last=("event_at", "max"))
    ranked = of.reset_index().sort_values(["person", "orders", "last"])
    return ranked.drop_duplicates("person", keep="last").set_index("person")["store"]


def _check_members(
    verdict: Verdict, stack: Stack, all_: Bought, buyers: pd.DataFrame, report: Any
) -> None:
    log = stack.table("memberships", "person_id", "segment", "change", "recorded_at", "run_id")
    newest = log.sort_values(["recorded_at", "run_id"]).drop_duplicates(
        ["person_id", "segment"], keep="last"
    )
    standing = newest[newest["change"] == "entered"].groupby("segment")["person_id"].agg(set)
    told = {one["segment"]: one["people"] for one in report["segments"]["segments"]}
    verdict.equal(
        "report: members of every segment",
        {name: len(standing.get(name, ())) for name in told},
        told,
    )
    for name, members in _expected(all_, buyers).items():
        differs = len(members ^ set(standing.get(name, ())))
        verdict.equal(f"persons who are wrongly in or out of {name}", 0, differs)
    overlaps = {(one["a"], one["b"]): one["both"] for one in report["segments"]["overlaps"]}
    found = {pair: len(standing[pair[0]] & standing[pair[1]]) for pair in overlaps}
    verdict.equal("report: people in two segments", sum(found.values()), sum(overlaps.values()))
    changes = log.groupby("change").size().to_dict()
    counted = {
        change: sum(one[change] for one in report["segments"]["changes"])
        for change in ("entered", "left")
    }
    verdict.equal(
        "report: changes of membership over all runs",
        {change: changes.get(change, 0) for change in counted},
        counted,
    )


def _expected(all_: Bought, buyers: pd.DataFrame) -> dict[str, set[str]]:
    """The members of some segments by their rules in words, from the source's orders."""
    orders = all_.orders
    ago = (all_.today - orders["day"]).dt.days
    drinks = all_.lines[all_.lines["category"].isin(DRINKS)].drop_duplicates("order_id")
    recent = (all_.today - drinks["day"]).dt.days < 180
    year = orders[ago < 365].groupby("person")["cents"].sum()
    month = orders[ago < 30].groupby("person").size()
    before = orders[(ago >= 31) & (ago <= 60)].groupby("person").size()
    slow = before[before >= 4]
    first = orders.groupby("person")["day"].min()
    weeks = [orders[ago < 7], *(orders[(ago >= 7 * n) & (ago < 7 * n + 7)] for n in (1, 2, 3))]
    at_risk = buyers.index[buyers["cell"].isin(["at_risk", "cannot_lose"])]
    return {
        "champions": set(buyers.index[buyers["cell"] == "champions"]),
        "at_risk_big_baskets": set(at_risk) & set(year.index[year > 50_000]),
        "slowing_down": set(slow.index[2 * month.reindex(slow.index, fill_value=0) <= slow]),
        "weekly_shoppers": set.intersection(*(set(week["person"]) for week in weeks)),
        "newcomers": set(first.index[first >= all_.today - pd.Timedelta(days=60)]),
        "wine_lovers": _at_least(drinks[recent].groupby("person").size(), 3),
    }


def _at_least(counts: pd.Series, least: int) -> set[str]:
    return set(counts.index[counts >= least])
