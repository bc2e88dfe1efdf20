"""Every computed trait of every person in SQL: one pass for the trees, one for each gathered."""

from collections.abc import Sequence

from stamgast.segments.computed import node_of
from stamgast.segments.definitions import ComputedTrait, Making
from stamgast.segments.kept import SINCE
from stamgast.segments.language.tree import DaysBetween, Node, Type
from stamgast.segments.language.types import type_of
from stamgast.segments.language.windows import Now
from stamgast_lake.rhythm import rhythm_sql
from stamgast_lake.rules.aggregates import PLAIN, Aggregates, bounded
from stamgast_lake.rules.expressions import Expressions
from stamgast_lake.rules.extractions import Extractions
from stamgast_lake.rules.guards import guard_of
from stamgast_lake.rules.literals import quoted, read_json
from stamgast_lake.rules.statements import Whole, temp_table

COMPUTED = "rule_computed"
RANKED = """
    select person_id, n, t, b, row_number() over (
        partition by person_id
        order by {often} latest desc, n is null, n, t is null, t, b) as place
    from (
        select person_id, n, t, b, count(*) as often,
            max(row(event_at, message_key)) as latest
        from ({items}) item
        where n is not null or t is not null or b is not null
        group by person_id, n, t, b
    ) tally
"""
MADE = "coalesce(to_json(n), to_json(t), to_json(b))"
MOST_FREQUENT = "select person_id, {made} as told from ({ranked}) ranked where place = 1"
UNIQUE_LIST = """
    select person_id, to_json(list_transform(list_sort(list(row(place, {made}))),
        lambda one: one[2])) as told
    from ({ranked}) ranked where place <= {limit} group by person_id
"""
USUAL = """
    select person_id, to_json(cast(usual_days as double)) as told
    from ({rhythm}) rhythm where usual_days is not null
"""


def computed(
    traits: Sequence[ComputedTrait],
    now: Now,
    persons: str = "rule_person",
    events: str = "rule_event",
) -> list[str]:
    """Statements that make the temporary table `rule_computed`: person_id, computed and kept.

    `computed` has the traits as JSON, equal, person by person, to what
    `stamgast.segments.computed.TraitBook` says; `kept` is its form that days alone do not change,
    which `stamgast.segments.kept.at_day` reads.
    """
    columns = Extractions(now.zone.key, "c")
    whole = Whole(now, {}, Aggregates(now, Extractions(now.zone.key, "e")))
    within = Expressions(now, columns, whole.sql)
    tables: list[tuple[str, str]] = []
    told: list[tuple[str, str]] = []
    kept: list[tuple[str, str]] = []
    for trait in traits:
        node = node_of(trait)
        if node is None:
            name = f"gathered{len(tables)}"
            tables.append((name, _gathered(trait, now, events)))
            told.append((trait.name, f"{name}.told"))
        else:
            told.append((trait.name, json_sql(within.sql(node), trait.type)))
        kept.append((trait.name, told[-1][1]))
        if isinstance(node, DaysBetween) and trait.making is Making.DAYS_SINCE:
            kept[-1] = (trait.name, _since(within.sql(node.right)))
    rows = f"({whole.joined(columns, persons)}) person"
    for name, _ in tables:
        rows += f" left join {name} on {name}.person_id = person.person_id"
    select = (
        f"select person.person_id, {_object(told)} as computed, {_object(kept)} as kept from {rows}"
    )
    made = [temp_table(name, statement) for name, statement in tables]
    return [*whole.statements(events), *made, temp_table(COMPUTED, select)]


def _object(pairs: Sequence[tuple[str, str]]) -> str:
    return f"json_object({', '.join(f'{quoted(name)}, {sql}' for name, sql in pairs)})"


def _since(day: str) -> str:
    """The day to count from, in the form of `at_day`."""
    return f"case when {day} is not null then json_object('{SINCE}', cast({day} as varchar)) end"


def json_sql(value: str, kind: Type) -> str:
    """A value of a type as JSON."""
    match kind:
        case Type.ANY:
            return value
        case Type.DATE:
            return f"to_json(cast({value} as varchar))"
        case Type.MOMENT:
            return f"to_json({iso_sql(value)})"
        case Type.LIST:
            return f"cast('[' || array_to_string({value}, ',') || ']' as json)"
    return f"to_json({value})"


def iso_sql(moment: str) -> str:
    """A moment as `stamgast.moments.iso_of` writes it."""
    return f"strftime({moment} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"


def _gathered(trait: ComputedTrait, now: Now, events: str) -> str:
    extractions = Extractions(now.zone.key, "g")
    within = Expressions(now, extractions, _never, guard_of(trait.where))
    needed = " and ".join(["person_id is not null", *bounded(trait.window, now)])
    passed = "true" if trait.where is None else within.sql(trait.where)
    if trait.making is Making.USUAL_INTERVAL:
        day = f"cast(event_at at time zone {quoted(now.zone.key)} as date)"
        rows = extractions.wrapped(f"{events} where {needed}", PLAIN)
        days = f"(select person_id, {day} as ordered_on from ({rows}) event where {passed})"
        return USUAL.format(rhythm=rhythm_sql(days))
    items = _items(trait.of, within, extractions, f"{events} where {needed}", passed)
    often = "often desc," if trait.making is Making.MOST_FREQUENT else ""
    ranked = RANKED.format(often=often, items=items)
    form = MOST_FREQUENT if trait.making is Making.MOST_FREQUENT else UNIQUE_LIST
    return form.format(made=MADE, ranked=ranked, limit=trait.limit)


def _items(
    of: Node | None, within: Expressions, extractions: Extractions, events: str, passed: str
) -> str:
    """A row for each value of each event, as a number `n`, a text `t` or a boolean `b`."""
    if of is None:
        raise TypeError("a gathered trait has a value")
    kind = type_of(of)
    if kind is Type.LIST:
        elements, is_text = within.listed(of)
        told = f"unnest({elements})"
        parts = _of_text("one") if is_text else _of_json("one")
    else:
        told = within.sql(of)
        parts = _of_json("one") if kind is Type.ANY else _of_type("one", kind)
    rows = extractions.wrapped(events, PLAIN)
    if kind is Type.ANY:
        told, parts = _spread(told), _of_json("one")
    flat = (
        f"select person_id, event_at, message_key, {told} as one from ({rows}) event where {passed}"
    )
    return f"select person_id, event_at, message_key, {parts} from ({flat}) flat"


def _spread(json: str) -> str:
    """The elements of a JSON list, or the one value that it is."""
    raw = f"cast({json} as varchar)"
    elements = f"cast(json_extract({json}, '$[*]') as varchar[])"
    return f"unnest(case when starts_with({raw}, '[') then {elements} else [{raw}] end)"


def _of_type(value: str, kind: Type) -> str:
    match kind:
        case Type.NUMBER:
            return f"{value} + 0.0 as n, cast(null as varchar) as t, cast(null as boolean) as b"
        case Type.BOOLEAN:
            return f"cast(null as double) as n, cast(null as varchar) as t, {value} as b"
        case Type.DATE:
            return _of_text(f"cast({value} as varchar)")
        case Type.MOMENT:
            return _of_text(iso_sql(value))
    return _of_text(value)


def _of_text(value: str) -> str:
    return f"cast(null as double) as n, {value} as t, cast(null as boolean) as b"


def _of_json(value: str) -> str:
    number, text, boolean = (
        read_json(kind, value, "UTC") for kind in (Type.NUMBER, Type.TEXT, Type.BOOLEAN)
    )
    return f"{number} + 0.0 as n, {text} as t, {boolean} as b"


def _never(node: object) -> str:
    raise TypeError(f"{type(node).__name__} is no part of an event's filter")
