"""Every place that may hold data of a person: how each is erased, and for how long it holds.

A test fails when a table, a prefix, a kind of item, a queue, a stream or a log group of the code or
of the templates is not among these.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a store is."""

    TABLE = "table"
    PREFIX = "prefix"
    ITEM = "item"
    QUEUE = "queue"
    STREAM = "stream"
    LOG = "log group"
    BACKUP = "backup"
    BUS = "event bus"


UNSALTED = "lines stay; without the person's salt they lead to nobody"


@dataclass(frozen=True, slots=True)
class Store:
    """One place: what it holds of persons (None: nothing), and what an erasure does to it.

    `days` is how long what cannot be read there may go on holding something; None where it can be
    read and is empty at once.
    """

    name: str
    kind: Kind
    holds: str | None
    erased: str = "nothing to erase"
    days: float | None = None


RECOVERY_DAYS = 7
"""How far back the table `control` can be restored, and holds what was deleted from it."""
ENDS = {"rejected/": 30, "exports/": 1, "athena/": 7, "runs/": 90}
"""Days after which objects end by the bucket's own rules, whatever a workspace says."""
OLD_VERSION_DAYS = 30
"""How long the bucket keeps a version that another replaced or that was deleted by name."""
SNAPSHOT_DAYS = 3
"""How long a table's files stay that its rows have left."""
TIMELINE_DAYS = 90
"""How long the live view shows an event, where an environment says nothing else."""


def _table(name: str, holds: str | None, erased: str = "rows deleted, files rewritten") -> Store:
    return Store(name, Kind.TABLE, holds, erased if holds else "nothing to erase")


def _item(name: str, holds: str | None, erased: str = "deleted") -> Store:
    return Store(name, Kind.ITEM, holds, erased if holds else "nothing to erase")


def _prefix(name: str, holds: str | None, erased: str = "") -> Store:
    return Store(name, Kind.PREFIX, holds, erased if holds else "nothing to erase")


TABLES = (
    _table("raw_events", "events as they came", "the objects under raw/"),
    _table("rejected_events", "refused events", "the objects under rejected/"),
    _table("disclosures", "who was shown or told of, hashed", UNSALTED),
    _table("receipts", "keys of identifiers", "receipts stay, without keys and hashes"),
    _table("message_index", "keys of identifiers"),
    _table("events", "events and identifiers"),
    _table("evidence", "keys of identifiers"),
    _table("constraints", "keys of identifiers"),
    _table("edges", "keys of identifiers"),
    _table("identity", "keys of identifiers and persons"),
    _table("persons", "keys of identifiers and persons"),
    _table("anchors", "facts"),
    _table("profiles", "traits and figures"),
    _table("rfm", "figures of a person"),
    _table("computed_traits", "traits of a person"),
    _table("memberships", "segments of a person"),
    _table("scores", "what models say of a person"),
    _table("links", "keys that a model believes to be one person's"),
    _table("egress_receipts", "what left, of whom", "receipts stay, without the person"),
    _table("link_models", None),
    _table("models", None),
    _table("raw_files", "names of dropped files", "a mark takes the place of what tells"),
    _table("runs", "keys of identifiers with the most neighbours", "figures stay, without keys"),
)
PREFIXES = (
    _prefix("raw/", "events as they came", "lines reduced to receipts, objects rewritten"),
    _prefix("rejected/", "refused events", "lines reduced to receipts, objects rewritten"),
    _prefix("disclosures/", "who was shown or told of, hashed", UNSALTED),
    _prefix("imports/", "dropped files", "rows left out, files rewritten or renamed"),
    _prefix("warehouse/", "the tables", "files rewritten, snapshots and versions deleted"),
    _prefix("runs/", "documents of runs", "rows left out, or deleted"),
    _prefix("exports/", "exports and answers, for a day", "deleted"),
    _prefix("models/", "what models compared or were fed", "rows left out, or deleted"),
    _prefix("athena/", "results of queries, for a week", "deleted, whoever is in them"),
    _prefix("errors/", "what a stream could not write", "rows left out, or deleted"),
    _prefix("erasure/", "open requests, until their proof", "deleted with the certificate"),
    _prefix("workspace/", None),
)
ITEMS = (
    _item("I#/@", "an identifier's value and person"),
    _item("I#/E", "keys of two identifiers"),
    _item("I#/L", "facts"),
    _item("I#/B", "facts"),
    _item("I#/X", "the timeline, also past its time to live"),
    _item("I#/C", "consent"),
    _item("P#/@", "keys of a person's identifiers"),
    _item("P#/M", "segments"),
    _item("P#/R", "figures"),
    _item("P#/S", "scores"),
    _item("P#/T", "computed traits"),
    _item("P#/K", "provisional links"),
    _item("PARKED", "identifiers of a change that waits"),
    _item("DECISIONS", "keys of two identifiers"),
    _item("CUTS", "ids of cuts"),
    _item("CUT#", "keys, and values while a cut is open"),
    _item("JOBS", "changes under way: an erasure waits for them"),
    _item("JOB#", "changes under way: an erasure waits for them"),
    _item("SALT#", "what leads from lines of the audit log to their person"),
    _item("RIGHTS#", "keys of the identifiers of a request", "stay as proof"),
    _item("RIGHTS", None),
    _item("ERASED#", "keyed tombstones", "stay, so that nothing comes back"),
    _item(
        "GONE#",
        "keyed hashes of erased messages, and of objects that were changed",
        "stay, so that nothing comes back",
    ),
    _item("SEGMENTJOB#", "what an operator asked, for a day", "deleted by the search"),
    _item("SOURCE#", None),
    _item("KEY#", None),
    _item("TOKEN#", None),
    _item("RATE#", None),
    _item("WORKSPACE", None),
    _item("RUN", None),
    _item("LIVE", None),
)
MOVING = (
    Store("EventsQueue", Kind.QUEUE, "events on their way", "judged when they are taken", 14),
    Store("EventsDeadLetters", Kind.QUEUE, "messages that failed", "messages replaced"),
    Store(
        "RawStream", Kind.STREAM, "events on their way", "judged when a run loads them", 15 / 1440
    ),
    Store("RejectedStream", Kind.STREAM, "events on their way", "judged when loaded", 15 / 1440),
    Store("DisclosuresStream", Kind.STREAM, "who was shown or told of, hashed", UNSALTED),
    Store("ViewBus", Kind.BUS, "ids of persons, for those who listen", "not kept here", 1),
    *(
        Store(f"{what}DeadLetters", Kind.QUEUE, None)
        for what in ("Run", "Drain", "Links", "Models", "Rights")
    ),
    Store("AlarmsTopic", Kind.BUS, None),
    Store(
        "logs", Kind.LOG, None, "nothing to erase: no line tells of anybody; they end by themselves"
    ),
    Store(
        "control-recovery",
        Kind.BACKUP,
        "items of the table control as they were",
        "expires; a restore applies the tombstones before it opens",
        RECOVERY_DAYS,
    ),
)
STORES = (*TABLES, *PREFIXES, *ITEMS, *MOVING)


def named(kind: Kind) -> frozenset[str]:
    """The names of all stores of a kind."""
    return frozenset(one.name for one in STORES if one.kind is kind)
