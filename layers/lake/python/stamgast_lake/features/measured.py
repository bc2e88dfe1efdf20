"""Population, features and outcome at one cut-off: the statements that make a row a person.

The cut-off itself belongs to what comes after: features are asked a millisecond before it, the
outcome over [cut-off, cut-off + horizon).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from stamgast.models.declaration import Kind, Model
from stamgast.models.money import in_own_currency
from stamgast.segments.language.columns import ORDER_EVENT
from stamgast.segments.language.days import start_of
from stamgast.segments.language.tree import (
    Aggregate,
    Compare,
    Field,
    Function,
    Hours,
    Literal,
    Node,
    Type,
)
from stamgast.segments.language.windows import Now
from stamgast_lake.rules.aggregates import Aggregates
from stamgast_lake.rules.expressions import Expressions
from stamgast_lake.rules.extractions import Extractions
from stamgast_lake.rules.sources import major
from stamgast_lake.rules.statements import Whole, temp_table

DAY_HOURS, DAY_MS = 24, 86_400_000
ORDERED = Compare("=", Field(("event",), Type.TEXT), Literal(ORDER_EVENT, Type.TEXT))
REVENUE = Field(("order", "revenue"), Type.NUMBER)
MEASURED, OUTCOME, CELL, RFM_CELL = "measured", "outcome", "cold_start_by", "rfm_cell"
# Days with a purchase in the principal currency: x, t_x, T in days, and the mean of the repeats. An
# amount below 0 is a refund, no purchase: spend is times what all buyers of a currency keep of it.
HISTORIES = """
    create or replace temp table history as
    with bought as (
        select person_id, cast(event_at at time zone '{zone}' as date) as day, currency,
            sum(greatest(revenue_minor, 0)) as spent, sum(revenue_minor) as net,
            bool_or(revenue_minor >= 0) as is_purchase
        from rule_event
        where event_at < to_timestamp({until_ms} / 1000) and revenue_minor is not null
            and currency = principal
        group by person_id, day, currency
    ), kept as (
        select currency, greatest(sum(net) / nullif(sum(spent), 0), 0) as share
        from bought group by currency
    ), customer as (
        select person_id, currency, count(*) - 1 as repeats, min(day) as first, max(day) as last,
            sum(spent) - arg_min(spent, day) as later
        from bought where is_purchase group by person_id, currency
    )
    select person_id, repeats, date_diff('day', first, last) as recency,
        date_diff('day', first, date '{cut_on}') as age,
        coalesce({later} * share / nullif(repeats, 0), 0) as mean_spend
    from customer join kept using (currency)
"""


@dataclass(frozen=True, slots=True)
class CutOff:
    """The start of a day in the workspace's zone, at which features end and outcomes begin."""

    on: date
    zone: ZoneInfo

    @property
    def ms(self) -> int:
        """The cut-off in milliseconds since 1970."""
        return start_of(self.on, self.zone)

    @property
    def before(self) -> Now:
        """The last moment that features may know."""
        return Now(self.ms - 1, self.zone)

    def after(self, days: int) -> Now:
        """The last moment of a horizon of so many times 24 hours."""
        return Now(self.ms + days * DAY_MS - 1, self.zone)


def measured(model: Model, cut_off: CutOff) -> Iterator[str]:
    """Statements that make table `measured`: person_id, is_meant, and each feature by its place.

    Features are doubles, null where the expression is; a condition is 1 or 0.
    """
    asked = _Asked(cut_off.before)
    is_meant = f"coalesce({asked.sql(model.population)}, false)"
    if model.exclude is not None:
        is_meant += f" and not coalesce({asked.sql(model.exclude)}, false)"
    columns = [f"{is_meant} as is_meant"]
    for place, feature in enumerate(model.features):
        columns.append(f"{_number(asked.sql(in_own_currency(feature.tree)))} as f{place}")
    if CELL in model.rules:
        columns.append(f"cast({asked.sql(model.rules[CELL])} as varchar) as cell")
    if model.kind is Kind.CLUSTERS:
        columns.append(
            f"coalesce(cast(rfm_r * 100 + rfm_f * 10 + rfm_m as bigint), 0) as {RFM_CELL}"
        )
    yield from asked.statements(MEASURED, columns)
    if model.kind is Kind.LIFETIME_VALUE:
        zone = cut_off.zone.key
        later = major("later", "currency")
        yield HISTORIES.format(cut_on=cut_off.on, zone=zone, until_ms=cut_off.ms, later=later)


def outcome(model: Model, cut_off: CutOff) -> Iterator[str]:
    """Statements that make table `outcome`: person_id and label, for those who have one.

    A label is 1 or 0, or money in major units of the principal currency. Of an experiment there is
    an `arm`, too: 1 for those who were treated, 0 for those who held out, 2 for both; null for
    anybody else.
    """
    asked = _Asked(cut_off.after(model.within_days))
    window = Hours(DAY_HOURS * model.within_days)
    if model.kind is Kind.LIFETIME_VALUE or model.target is None:
        spent = Aggregate(Function.SUM, REVENUE, ORDERED, window, is_principal=True)
        yield from asked.statements(OUTCOME, [f"{asked.sql(spent)} as label"])
        return
    came = f"{asked.sql(Aggregate(Function.COUNT, None, model.target, window))} > 0"
    label = f"not ({came})" if is_of_silence(model) else came
    arm = [f"{_arm(asked, model)} as arm"] if model.kind is Kind.UPLIFT else []
    yield from asked.statements(OUTCOME, [f"{_number(label)} as label", *arm])


def is_judged_in_money(model: Model) -> bool:
    """Whether what is said of it is an amount, in each person's principal currency."""
    is_drivers = model.kind is Kind.DRIVERS and model.target is None
    return model.kind is Kind.LIFETIME_VALUE or is_drivers


def arms(model: Model, now: Now, table: str) -> Iterator[str]:
    """Statements that make a table of the arm that each person is in at a moment."""
    asked = _Asked(now)
    yield from asked.statements(table, [f"{_arm(asked, model)} as arm"])


def is_of_silence(model: Model) -> bool:
    """Whether the outcome is that the target does not come: churn of those who have no contract."""
    return model.kind is Kind.CHURN and "ends" not in model.rules


def _arm(asked: "_Asked", model: Model) -> str:
    treated, held_out = (
        f"coalesce({asked.sql(model.rules[name])}, false)" for name in ("treated", "held_out")
    )
    return (
        f"case when {treated} and {held_out} then 2.0 when {treated} then 1.0"
        f" when {held_out} then 0.0 end"
    )


class _Asked:
    """Expressions of people at a moment, collected and then computed in one pass."""

    def __init__(self, now: Now) -> None:
        zone = now.zone.key
        self._columns = Extractions(zone, "c")
        self._whole = Whole(now, {}, Aggregates(now, Extractions(zone, "e")))
        self._within = Expressions(now, self._columns, self._whole.sql)

    def sql(self, tree: Node) -> str:
        return self._within.sql(tree)

    def statements(self, table: str, columns: list[str]) -> Iterator[str]:
        rows = self._whole.joined(self._columns, "rule_person")
        yield from self._whole.statements("rule_event")
        yield temp_table(table, f"select person_id, {', '.join(columns)} from ({rows}) person")


def _number(sql: str) -> str:
    return f"cast({sql} as double)"
