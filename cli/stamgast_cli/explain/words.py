"""How identifiers, edges and persons of an explanation are called on the screen and on the page."""

from typing import Any

Json = dict[str, Any]
SHORT = 9


def name_of(one: Json) -> str:
    """`email a•••@e•••.org`, or the beginning of the key where the value is not known."""
    value = one.get("value")
    return f"{one['namespace']} {value if value is not None else short(one['key'])}"


def short(key: str) -> str:
    """The beginning of a key's hash, or of a person's id."""
    return key.rpartition(":")[2][:SHORT] + "…"


def pair_of(edge: Json) -> str:
    """Both ends of an edge."""
    return f"{name_of(edge['a'])} – {name_of(edge['b'])}"


def support_of(edge: Json) -> str:
    """On whose word an edge stands: `verified, server, 2026-09-01, 12 messages`."""
    parts = [edge["assurance"], edge.get("source"), edge["event_at"][:10]]
    count = edge.get("supported_by")
    if count:
        parts.append(f"{count} message{'s' if count != 1 else ''}")
    return ", ".join(part for part in parts if part)


def persons_of(effect: Json) -> str:
    """What becomes of the person: `6 identifiers stay, 2 become p1abc…`."""
    later = effect.get("persons_after_run")
    return _parts(effect["persons"]) + (f"; after the next run: {_parts(later)}" if later else "")


def _parts(parts: list[Json]) -> str:
    return "; ".join(
        f"{_verb(len(part['identifiers']), 'stay' if part['is_same_person'] else 'become')} "
        f"{short(part['person_id'])} ({', '.join(map(name_of, part['identifiers'][:4]))}"
        f"{' …' if len(part['identifiers']) > 4 else ''})"
        for part in parts
    )


def _verb(count: int, verb: str) -> str:
    return f"{count} {verb}{'s' if count == 1 else ''}"


def weakness_of(edge: Json) -> str:
    """What hangs on the weakest edge."""
    if edge["is_bridge"]:
        return "nothing could replace it, so without it the person falls apart"
    return "with it all that is weaker would have to go before the person falls apart"


def source_of(answer: Json) -> str:
    """From where it was answered, and as of when."""
    told = answer["answered_from"]
    run = told["last_run"]
    rows = f", rows up to run {run['run_id']} of {run['moment']}" if run else ""
    where = "the live view" if told["view"] == "live" else "the lake"
    return f"answered from {where} as of {told['as_of']} ({told['time_zone']}{rows})"


def calibration_of(link: Json) -> str:
    """What stands behind the probability of a provisional link."""
    return "calibrated" if link["is_calibrated"] else "not calibrated: the model's own score"
