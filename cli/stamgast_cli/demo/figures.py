"""The figures of the lake that the report shows, asked as any analyst would ask them."""

from dataclasses import asdict, dataclass
from typing import Any

from stamgast_cli.demo.truth import Agreement, Named, agreement
from stamgast_cli.deployment import Deployment
from stamgast_cli.lake import select

STATES = ("stored", "duplicate", "conflict", "rejected", "suppressed")


@dataclass(frozen=True, slots=True)
class Lake:
    """A deployment's lake."""

    deployment: Deployment

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return select(self.deployment, sql)[1]

    def states(self) -> dict[str, int]:
        """How many receipts are in each state."""
        counted = dict(self.rows("select state, count(*) from receipt_states group by state"))
        return {state: int(counted.get(state, 0)) for state in STATES}

    def reasons(self) -> dict[str, int]:
        """Why receipts were rejected."""
        sql = "select reason, count(*) from receipt_states where reason is not null group by reason"
        return {reason: int(count) for reason, count in self.rows(sql)}

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

    def arrivals(self) -> list[dict[str, Any]]:
        """Receipts by the hour of their arrival and by state."""
        sql = """select strftime(received_at, '%Y-%m-%d %H:00') as hour, state, count(*)
                 from receipt_states group by 1, 2 order by 1, 2"""
        return [
            {"hour": hour, "state": state, "receipts": int(n)} for hour, state, n in self.rows(sql)
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
