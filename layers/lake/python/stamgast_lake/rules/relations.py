"""The relations that rules read, made of the lake's tables as a run sees them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stamgast.segments.language.rules import Rule
from stamgast_lake.lake import Lake
from stamgast_lake.logs import Seeing, latest, see
from stamgast_lake.rules.computed import COMPUTED
from stamgast_lake.rules.scores import SCORED, names_scores, see_scores
from stamgast_lake.tables import EVENTS, IDENTITY

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Consent is what all words about a purpose come to: true, false, or nothing.
PERSONS = """
    create or replace temp view rule_person as
    select profile_now.person_id, profile_now.first_at, profile_now.last_at, profile_now.orders,
        profile_now.revenue_minor, profile_now.currency,
        make_timestamptz(1000 * list_min(list_transform(spending, lambda one: one.first_ms)))
            as orders_first_at,
        make_timestamptz(1000 * list_max(list_transform(spending, lambda one: one.last_ms)))
            as orders_last_at,
        profile_now.traits,
        cast(json_extract(profile_now.traits, '$.consent.value') as varchar) as consent,
        {computed} as computed, {scores} as scores,
        scored.cell as segment, scored.recency_score as r, scored.frequency_score as f,
        scored.monetary_score as m, scored.frequency, scored.monetary_minor,
        scored.currency as rfm_currency, scored.last_order_on
    from profile_now
    join person_now on person_now.person_id = profile_now.person_id
        and person_now.state = 'active'
    left join scored on scored.person_id = profile_now.person_id
    {joins}
"""
TOLD = f"left join {COMPUTED} told on told.person_id = profile_now.person_id"
WITH_SCORES = f"left join {SCORED} predicted on predicted.person_id = profile_now.person_id"
HAPPENINGS = """
    create or replace temp {kind} rule_happening as
    select anchor_key, message_key, event_at, event, type, source_id, order_id, revenue_minor,
        currency, products, properties, campaign, page, context
    from events
"""
# So many are read once and kept: some eight passes over them would open each day's file anew.
MOST_KEPT = 250_000
# A table: every pass over events joins it, and would sort two logs anew if it were a view.
ANCHORS = """
    create or replace temp table rule_anchor as
    select identifier as anchor_key, identity_now.person_id, profile_now.currency as principal
    from identity_now join profile_now on profile_now.person_id = identity_now.person_id
"""
EVENTS_OF_PERSONS = """
    create or replace temp view rule_event as
    select rule_anchor.person_id, rule_happening.* exclude (anchor_key), rule_anchor.principal
    from rule_happening join rule_anchor on rule_anchor.anchor_key = rule_happening.anchor_key
"""


def make_relations(engine: "DuckDBPyConnection", lake: Lake, see_logs: Seeing = see) -> None:
    """Makes `rule_person`, `rule_event`, and by anchors `rule_happening`, `rule_anchor`.

    Needs `profile_now` and `person_now`, and relation `scored` of RFM scores. Of persons neither
    computed traits nor scores are known yet: `add_computed` adds them.
    """
    see(engine, lake, EVENTS)
    see_logs(engine, lake, IDENTITY)
    latest(engine, "identity", "identifier", "identity_now")
    engine.execute(PERSONS.format(computed="'{}'", scores="'{}'", joins=""))
    for statement in (HAPPENINGS.format(kind=_kind(lake)), ANCHORS, EVENTS_OF_PERSONS):
        engine.execute(statement)


def _kind(lake: Lake) -> str:
    """Few events are a table, more than `MOST_KEPT` a view that each pass reads for itself."""
    events = sum(file.record_count for file in lake.catalogue.files(EVENTS))
    return "table" if events <= MOST_KEPT else "view"


def add_computed(
    engine: "DuckDBPyConnection", lake: Lake, rules: Sequence[Rule], now_ms: int
) -> None:
    """Makes `rule_person` anew, with the computed traits of `rule_computed`.

    Scores are there where one of the `rules` names one, those that hold at `now_ms`.
    """
    scores, joins = "'{}'", TOLD
    if names_scores(rules):
        see_scores(engine, lake, now_ms)
        scores, joins = "coalesce(predicted.scores, '{}')", f"{joins} {WITH_SCORES}"
    told = {"computed": "told.computed", "scores": scores, "joins": joins}
    engine.execute(PERSONS.format(**told))
