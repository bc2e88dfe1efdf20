"""What came of what was stated, by kind: statements over the log of scores and over events.

A row of `came` is what was stated of a person, and of recommendations each item that was offered;
its label is what came: 1 or 0, money, or a share.
"""

from collections.abc import Iterator, Mapping

from stamgast.models.declaration import Kind, Model
from stamgast_lake.features.measured import CutOff, outcome
from stamgast_lake.rules.literals import moment_sql

STATED = """
    create or replace temp table stated as
    select * from (
        select person_id, value, band, low, high, reasons, version, row_number() over (
            partition by person_id order by recorded_at desc, run_id desc) as nth
        from scores where model = ? and recorded_at <= cast(? as timestamptz)
    ) where nth = 1 and value is not null
"""
KNOWN = """
    create or replace temp view stated_now as
    select stated.*, person_now.state is not distinct from 'active'
        and stated.person_id in (select person_id from allowed)
        and stated.person_id not in (select person_id from objecting) as is_known
    from stated left join person_now on person_now.person_id = stated.person_id
"""
CAME = """
    create or replace temp view came as
    select stated_now.*, coalesce(outcome.label, 0) as label, {arm} as arm
    from stated_now left join outcome on outcome.person_id = stated_now.person_id
"""
BOUGHT = """
    create or replace temp table bought as
    select person_id, line.product_id as product, line.category as category,
        coalesce(line.discount_minor, 0) > 0 as is_discounted
    from (
        select person_id, unnest(products) as line from person_event
        where revenue_minor is not null and event_at >= {since} and event_at < {until}
    ) where line.product_id is not null
"""
OFFERED = """
    create or replace temp view came as
    select one.person_id, one.band, one.is_known, item.probability as value,
        cast(exists (select 1 from bought where bought.person_id = one.person_id
            and bought.{of} = item.item) as integer) as label
    from (
        select *, unnest(from_json(reasons, '[{{"item": "VARCHAR", "probability": "DOUBLE"}}]'))
            as item
        from stated_now
    ) one
"""
ON_DISCOUNT = """
    create or replace temp view came as
    select stated_now.*, bought.label
    from stated_now join (
        select person_id, avg(cast(is_discounted as integer)) as label from bought group by all
    ) bought on bought.person_id = stated_now.person_id
"""
LOST = "select count(*) from stated_now where not is_known"
BANDS = "select distinct band from came where is_known order by band"
# Means with 95 %, in which the rows of a person count as one (Liang and Zeger 1986).
MEANS = """
    with one as (
        select person_id, count(*) as n, sum(value) as stated, sum(label) as came,
            sum({error}) as error, sum(cast(label between {low} as integer)) as held
        from came where is_known {{which}} group by person_id
    ), mean as (
        select sum(n) as n, sum(stated) / sum(n) as stated, sum(came) / sum(n) as came,
            sum(error) / sum(n) as error, sum(held) / sum(n) as held
        from one
    ), half as (
        select count(*) as people,
            1.96 * sqrt(sum(power(one.came - mean.came * one.n, 2))) / any_value(mean.n) as came,
            1.96 * sqrt(sum(power(one.error - mean.error * one.n, 2))) / any_value(mean.n) as error
        from one cross join mean
    )
    select people, mean.stated, mean.came,
        mean.came - half.came as came_low, mean.came + half.came as came_high,
        mean.error as {name},
        mean.error - half.error as {name}_low, mean.error + half.error as {name}_high{more}
    from half cross join mean
"""
SQUARED, OFF = "power(value - label, 2)", "abs(value - label)"
ODDS = MEANS.format(error=SQUARED, name="brier", low="0 and 1", more="")
SHARES = MEANS.format(error=OFF, name="mean_absolute_error", low="0 and 1", more="")
AMOUNTS = MEANS.format(
    error=OFF, name="mean_absolute_error", low="low and high", more=", mean.held as in_interval"
)
# The difference of two means with 95 % (Neyman 1923); null while either arm has nobody.
EFFECTS = """
    select people, stated, came, came - half as low, came + half as high, treated, held_out
    from (
        select count(*) as people, avg(value) as stated,
            avg(label) filter (arm = 1) - avg(label) filter (arm = 0) as came,
            1.96 * sqrt(var_samp(label) filter (arm = 1) / count(*) filter (arm = 1)
                + var_samp(label) filter (arm = 0) / count(*) filter (arm = 0)) as half,
            count(*) filter (arm = 1) as treated, count(*) filter (arm = 0) as held_out
        from came where is_known {which}
    )
"""
FIGURES: Mapping[Kind, str] = {
    Kind.PROPENSITY: ODDS,
    Kind.CHURN: ODDS,
    Kind.LIFETIME_VALUE: AMOUNTS,
    Kind.RECOMMENDATION: ODDS,
    Kind.DISCOUNT: SHARES,
    Kind.UPLIFT: EFFECTS,
}
"""Figures of the kinds whose scores say what will come within days."""


def came(model: Model, cut_off: CutOff) -> Iterator[str]:
    """Statements that make view `came` of table `stated`, once events are at the cut-off.

    Nobody is judged who may not be scored any more (tables `allowed` and `objecting`): of who
    objected since, no event is at hand, and nothing would seem to have come.
    """
    yield KNOWN
    match model.kind:
        case Kind.RECOMMENDATION:
            yield _bought(model, cut_off)
            yield OFFERED.format(of=model.settings["of"])
        case Kind.DISCOUNT:
            yield _bought(model, cut_off)
            yield ON_DISCOUNT
        case _:
            yield from outcome(model, cut_off)
            yield CAME.format(arm="outcome.arm" if model.kind is Kind.UPLIFT else "null")


def _bought(model: Model, cut_off: CutOff) -> str:
    """The lines of orders within the horizon."""
    until = moment_sql(cut_off.after(model.within_days).ms + 1)
    return BOUGHT.format(since=moment_sql(cut_off.ms), until=until)
