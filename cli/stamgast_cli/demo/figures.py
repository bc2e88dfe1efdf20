"""The figures of the lake that the report shows, asked as any analyst would ask them."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from stamgast_cli.demo.truth import Agreement, Named, agreement
from stamgast_lake.query import LakeSession

STATES = ("stored", "duplicate", "conflict", "rejected", "suppressed")


@dataclass(frozen=True, slots=True)
class Lake:
    """A deployment's lake; what one figure has opened serves the next."""

    session: LakeSession

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row.values()) for row in self.session.rows(sql)]

    def receipts(self) -> dict[str, Any]:
        """How many receipts are in each state, why some were rejected, and when they arrived."""
        sql = """select state, reason, strftime(received_at, '%Y-%m-%d %H:00'), count(*)
                 from receipt_states group by 1, 2, 3 order by 3, 1"""
        states, reasons = Counter[str](), Counter[str]()
        arrivals: Counter[tuple[str, str]] = Counter()
        for state, reason, hour, count in self.rows(sql):
            states[state] += count
            arrivals[hour, state] += count
            if reason is not None:
                reasons[reason] += count
        return {
            "states": {state: states[state] for state in STATES},
            "reasons": dict(reasons),
            "arrivals": [
                {"hour": hour, "state": state, "receipts": count}
                for (hour, state), count in arrivals.items()
            ],
        }

    def hours(self) -> list[dict[str, Any]]:
        """Events by the hour of their day and by what sent them."""
        sql = """select source_id, cast(extract(hour from event_at) as integer) as hour, count(*)
                 from events group by 1, 2 order by 1, 2"""
        return [
            {"source": source, "hour": int(hour), "events": int(count)}
            for source, hour, count in self.rows(sql)
        ]

    def weeks(self) -> list[dict[str, Any]]:
        """Events and revenue by week."""
        sql = """select cast(date_trunc('week', event_on) as varchar) as week, source_id, count(*),
                    coalesce(sum(revenue_minor), 0) from events group by 1, 2 order by 1, 2"""
        return [
            {"week": week[:10], "source": source, "events": int(n), "revenue_minor": int(money)}
            for week, source, n, money in self.rows(sql)
        ]

    def revenue(self) -> dict[str, int]:
        """Revenue in minor units by order."""
        sql = "select order_id, revenue_minor from events where order_id is not null"
        return {order: int(revenue) for order, revenue in self.rows(sql)}

    def rfm(self) -> dict[str, Any]:
        """How many persons are in each cell of the grid, and in each named group."""
        cells = self.rows("select r, f, m, count(*) from rfm_current group by 1, 2, 3")
        groups = self.rows(
            "select segment, count(*), sum(monetary_minor) from rfm_current"
            " group by 1 order by 2 desc"
        )
        return {
            "cells": [dict(zip("rfmn", map(int, cell), strict=True)) for cell in cells],
            "groups": [
                {"segment": name, "persons": int(n), "revenue_minor": int(money)}
                for name, n, money in groups
            ],
        }

    def persons(self) -> dict[str, str]:
        """The person of each identifier, by its key."""
        return dict(self.rows("select identifier, person_id from identity_current"))


def agreement_of(
    owners: dict[Named, frozenset[int]], keys: dict[Named, str], persons: dict[str, str]
) -> dict[str, Any]:
    """The agreement with the truth as figures; `keys` has the lake's key of each identifier."""
    found = {named: persons[key] for named, key in keys.items() if key in persons}
    told: Agreement = agreement(owners, found)
    return {
        **asdict(told),
        "f1": told.f1,
        "identifiers_without_person": len(owners) - len(found),
    }
