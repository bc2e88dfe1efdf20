"""How far events keep to the tracking plan, counted by source; SQL made of the compiled plan."""

from collections.abc import Iterator, Mapping
from typing import Any

from stamgast_lake.query import LakeSession
from stamgast_lake.rules.literals import quoted, read_date, read_moment

Row = dict[str, Any]
Plan = Mapping[str, Any]
PLANNED = """
    select source_id, count(*) as events, count(*) filter ({any}) as faulty, {faults}
    from sent where type = 'track' and event = {name} group by source_id order by source_id
"""
UNPLANNED = """
    select source_id, event, count(*) as events from sent
    where type = 'track' and event is not null and event not in ({names})
    group by source_id, event order by source_id, events desc, event
"""


def plan_counted(lake: LakeSession, plan: Plan, zone: str) -> dict[str, list[Row]]:
    """Rows of `planned` (source_id, event, events, faulty, faults) and of `unplanned` events.

    `faults` counts events by (property, fault), as `TrackingPlan.judge` finds them, whatever the
    plan asks for then: missing, type or value; and undeclared, without a property, where the plan
    does not allow what it does not name. Needs the table `sent` of `sources_counted`.
    """
    events: Mapping[str, Any] = plan.get("events", {})
    undeclared = plan.get("undeclared") or "allow"
    planned = [
        row
        for name, one in events.items()
        for row in _planned(lake, name, {"undeclared": undeclared, **_said(one)}, zone)
    ]
    names = ", ".join(quoted(name) for name in events) or "''"
    return {"planned": planned, "unplanned": lake.rows(UNPLANNED.format(names=names))}


def _said(event: Plan) -> Plan:
    return {name: value for name, value in event.items() if value is not None}


def _planned(lake: LakeSession, name: str, event: Plan, zone: str) -> Iterator[Row]:
    faults = list(faults_sql(event, zone))
    any_fault = " or ".join(f"({sql})" for _, _, sql in faults) or "false"
    counted = ", ".join(
        f"count(*) filter ({sql}) as fault_{place}" for place, (_, _, sql) in enumerate(faults)
    )
    sql = PLANNED.format(any=any_fault, faults=counted or "0 as none", name=quoted(name))
    for row in lake.rows(sql):
        yield {
            "source_id": row["source_id"],
            "event": name,
            "events": row["events"],
            "faulty": row["faulty"],
            "faults": {
                (of, fault): row[f"fault_{place}"]
                for place, (of, fault, _) in enumerate(faults)
                if row[f"fault_{place}"]
            },
        }


def faults_sql(event: Plan, zone: str) -> Iterator[tuple[str | None, str, str]]:
    """Property, fault, and the condition under which an event has it; never null."""
    for name, planned in event["properties"].items():
        json = f"json_extract(properties, {quoted(_pointer(name))})"
        form, there = f"json_type({json})", f"coalesce(json_type({json}), 'NULL') <> 'NULL'"
        if name == "products":
            there = f"({there} or lines > 0)"
            form = f"case when lines > 0 then 'ARRAY' else {form} end"
        if planned["required"]:
            yield name, "missing", f"not {there}"
        is_right = f"coalesce({_is_of(planned['type'], form, json, zone)}, false)"
        yield name, "type", f"{there} and not {is_right}"
        if planned["values"] is not None:
            text = f"json_extract_string({json}, '$')"
            listed = ", ".join(quoted(value) for value in planned["values"]) or "null"
            known = f"coalesce({form} = 'VARCHAR' and {text} in ({listed}), false)"
            yield name, "value", f"{there} and {is_right} and not {known}"
    if event["undeclared"] != "allow":
        yield None, "undeclared", _undeclared(event["properties"])


def _undeclared(properties: Plan) -> str:
    names = ", ".join(quoted(name) for name in properties)
    said = "coalesce(json_keys(properties), [])"
    others = f"len(list_filter({said}, lambda one: one not in ({names or 'null'}))) > 0"
    if not names:
        others = f"len({said}) > 0"
    return others if "products" in properties else f"({others} or lines > 0)"


def _is_of(kind: str, form: str, json: str, zone: str) -> str:
    text = f"case when {form} = 'VARCHAR' then json_extract_string({json}, '$') end"
    match kind:
        case "text":
            return f"{form} = 'VARCHAR'"
        case "number":
            return f"{form} in ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"
        case "boolean":
            return f"{form} = 'BOOLEAN'"
        case "list":
            return f"{form} = 'ARRAY'"
        case "object":
            return f"{form} = 'OBJECT'"
        case "date" | "moment":
            day, instant = read_date(text, zone), read_moment(text, zone)
            return f"({day} is not null or {instant} is not null)"
        case _:
            return "true"


def _pointer(name: str) -> str:
    """A name as a JSON pointer (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
