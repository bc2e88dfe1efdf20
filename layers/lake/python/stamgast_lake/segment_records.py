"""The port `Records` of the paths about segments over the lake's rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from stamgast.identity.orders import exponent_of
from stamgast_lake.catalogue import one_of
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import keep
from stamgast_lake.pruning import among
from stamgast_lake.runs import DONE, WHOLE
from stamgast_lake.tables import EVENTS, MEMBERSHIPS, RUNS

Row = Mapping[str, Any]
AT_ANCHORS = """
    select message_key, epoch_ms(event_at) as event_at, event, type, source_id, order_id,
        revenue_minor, currency,
        list_transform(products, lambda line:
            {'product_id': line.product_id, 'category': line.category}) as products,
        properties, campaign, page, context
    from events_of_some where anchor_key in (select key from asked)
"""
ISO = "strftime({}, '%Y-%m-%dT%H:%M:%S.%gZ')"
LAST_CHANGE = f"""
    select change, rule_version, {ISO.format('"at"')}, because, change_id,
        {ISO.format("recorded_at")}, run_id
    from memberships_of_some where person_id = ? and segment = ?
    order by recorded_at desc, run_id desc limit 1
"""
LAST_RUN = f"""
    select run_id, {ISO.format("moment")} from runs
    where stage = '{WHOLE}' and status = '{DONE}' order by seq desc limit 1
"""
CHANGE = ("change", "rule_version", "at", "because", "change_id", "recorded_at", "run_id")
RUN = ("run_id", "moment")
DOCUMENTS = ("properties", "campaign", "page", "context")


@dataclass(frozen=True, slots=True)
class LakeSegmentRecords:
    """Answers from rows; every question opens a session of its own."""

    lake: Lake

    def events(self, anchors: frozenset[str]) -> Sequence[Row]:
        """Every event at these anchors, as rules read events."""
        keys = sorted(anchors)
        dataset = among(self.lake.catalogue.dataset(EVENTS), "anchor_key", keys)
        with session() as engine:
            keep(engine, "asked", pa.table({"key": pa.array(keys, pa.string())}))
            engine.register("events_of_some", dataset)
            return [_event(row) for row in engine.sql(AT_ANCHORS).to_arrow_table().to_pylist()]

    def published(self, person_id: str, segment: str) -> tuple[Row | None, Row | None]:
        """The newest row of the log of memberships, and the last run that ended well."""
        of_segment = self.lake.catalogue.dataset(MEMBERSHIPS, one_of("segment", [segment]))
        with session() as engine:
            engine.register("memberships_of_some", among(of_segment, "person_id", [person_id]))
            engine.register(RUNS.name, self.lake.catalogue.dataset(RUNS))
            changes = engine.execute(LAST_CHANGE, [person_id, segment]).fetchall()
            runs = engine.execute(LAST_RUN).fetchall()
        return _named(CHANGE, changes), _named(RUN, runs)


def _named(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Row | None:
    return dict(zip(names, rows[0], strict=True)) if rows else None


def _event(row: Row) -> dict[str, Any]:
    """The event's document, as `stamgast.segments.language.history` wants it."""
    documents = {name: json.loads(row[name]) if row[name] else None for name in DOCUMENTS}
    return {
        "message_key": row["message_key"],
        "event_at": row["event_at"],
        "event": row["event"],
        "type": row["type"],
        "source": row["source_id"],
        "order": _order(row),
        "products": row["products"],
        **documents,
    }


def _order(row: Row) -> dict[str, Any] | None:
    if row["revenue_minor"] is None:
        return None
    revenue = row["revenue_minor"] / 10 ** exponent_of(row["currency"])
    return {"id": row["order_id"], "revenue": revenue, "currency": row["currency"]}
