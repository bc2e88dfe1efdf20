"""The relations that rules read, as they would have been at a past moment.

They are made of events alone, so nothing that happened at the cut-off or after it can be seen,
whenever it was loaded. Persons are those that identity knows today, or as it knew them then: see
`known_as`.
"""

from typing import TYPE_CHECKING

from stamgast.identity.event import SHORT_ID_LENGTH
from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.windows import Now
from stamgast_lake.consents import profiled_sql, values_sql, words_sql
from stamgast_lake.features.known_as import OF_TODAY, see_links
from stamgast_lake.lake import Lake
from stamgast_lake.logs import latest, see
from stamgast_lake.rfm import rfm_sql
from stamgast_lake.rules.computed import COMPUTED
from stamgast_lake.rules.literals import moment_sql
from stamgast_lake.rules.traits import compute
from stamgast_lake.tables import EVENTS, IDENTITY, PERSONS, PROFILES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

OF_PERSONS = """
    create or replace temp table every_event as
    select identity_now.person_id, events.*
    from events
    join identity_now on identity_now.identifier = events.anchor_key
    join person_now on person_now.person_id = identity_now.person_id
        and person_now.state = 'active'
    where identity_now.person_id not in (select person_id from objecting)
"""
OBJECTING = """
    create or replace temp table objecting as
    select person_id from profile_now where not ({profiled})
"""
SPANS = """
    create or replace temp table then_span as
    select person_id, min(event_at) as first_at, max(event_at) as last_at
    from person_event where event_at < {until} group by person_id
"""
SPENDINGS = """
    create or replace temp table then_spending as
    select person_id, currency, count(*) as orders,
        cast(sum(revenue_minor) as bigint) as revenue_minor,
        min(epoch_ms(event_at)) as first_ms, max(epoch_ms(event_at)) as last_ms
    from person_event where event_at < {until} and revenue_minor is not null
    group by person_id, currency
"""
PRINCIPAL = """
    create or replace temp table then_principal as
    select person_id, currency, revenue_minor, orders_first_at, orders_last_at, all_orders as orders
    from (
        select *, row_number() over (
                partition by person_id order by orders desc, last_ms desc, currency) as place,
            sum(orders) over (partition by person_id) as all_orders,
            make_timestamptz(1000 * min(first_ms) over (partition by person_id)) as orders_first_at,
            make_timestamptz(1000 * max(last_ms) over (partition by person_id)) as orders_last_at
        from then_spending
    ) where place = 1
"""
# The order of `stamgast.profile.registers`: assurance, then time, then message.
TRAITS = f"""
    create or replace temp table then_traits as
    select person_id, json_group_object(name, json_object('value', value)) as traits
    from (
        select person_id, trait.key as name, trait.value, row_number() over (
            partition by person_id, trait.key
            order by assurance desc, epoch_ms(event_at) desc,
                substr(message_key, 1, {SHORT_ID_LENGTH}) desc, message_key desc) as place
        from person_event, json_each(person_event.traits) trait
        where event_at < {{until}} and person_event.traits is not null
    ) where place = 1
    group by person_id
"""
CONSENTS = f"""
    create or replace temp table then_consent as
    {values_sql(words_sql("person_event", "event_at < {until}"))}
"""
PERSON = """
    create or replace temp view rule_person as
    select then_span.person_id, then_span.first_at, then_span.last_at,
        cast(coalesce(bought.orders, 0) as bigint) as orders, bought.revenue_minor,
        bought.currency, bought.orders_first_at, bought.orders_last_at,
        coalesce(told.traits, '{{}}') as traits,
        said.consent,
        {computed} as computed, '{{}}' as scores,
        scored.cell as segment, scored.recency_score as r, scored.frequency_score as f,
        scored.monetary_score as m, scored.frequency, scored.monetary_minor,
        scored.currency as rfm_currency, scored.last_order_on
    from then_span
    left join then_principal bought on bought.person_id = then_span.person_id
    left join then_traits told on told.person_id = then_span.person_id
    left join then_consent said on said.person_id = then_span.person_id
    left join scored on scored.person_id = then_span.person_id
    {joins}
"""
EVENT = """
    create or replace temp view rule_event as
    select happened.*, bought.currency as principal
    from person_event happened
    left join then_principal bought on bought.person_id = happened.person_id
"""
WITH_COMPUTED = f"left join {COMPUTED} made on made.person_id = then_span.person_id"


def see_events(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Makes `every_event`, the events of active persons, read once for all cut-offs, and view
    `person_event` of them; and `person_link`.

    Whoever objects to profiling is not in it, so that no model learns of them or scores them.
    """
    see(engine, lake, EVENTS, IDENTITY, PERSONS, PROFILES)
    latest(engine, "profiles", "person_id", "profile_now")
    profiled = profiled_sql("profile_now.traits", lake.workspace().consents)
    engine.execute(OBJECTING.format(profiled=profiled))
    latest(engine, "identity", "identifier", "identity_now")
    latest(engine, "persons", "person_id", "person_now")
    engine.execute(OF_PERSONS)
    engine.execute(OF_TODAY)
    see_links(engine, lake)


def go_to(engine: "DuckDBPyConnection", now: Now, traits: "Sequence[ComputedTrait]" = ()) -> None:
    """Makes views `rule_person` and `rule_event` as they were at the end of moment `now`.

    Needs `person_event`. `rule_event` still holds what came later, for outcomes are made of it;
    everything that the language makes of events ends at its own now.
    """
    until = moment_sql(now.ms + 1)
    for statement in (SPANS, SPENDINGS, PRINCIPAL, TRAITS, CONSENTS):
        engine.execute(statement.format(until=until))
    engine.execute(f"create or replace temp table scored as {rfm_sql('then_spending', now.ms)}")
    engine.execute(PERSON.format(computed="'{}'", joins=""))
    engine.execute(EVENT)
    if traits:
        compute(engine, traits, now)
        engine.execute(PERSON.format(computed="made.computed", joins=WITH_COMPUTED))
