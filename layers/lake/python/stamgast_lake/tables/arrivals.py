"""What arrived and what became of it: receipts, the index of messages, the ledgers of runs."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, ListOf, Scalar

RECEIPTS = LakeTable(
    "receipts",
    "One row for each acknowledged receipt; the view receipt_states says what holds now.",
    (
        Column("receipt_id", Scalar.STRING, "Request id and index.", required=True),
        Column("source_id", Scalar.STRING, "The source that it came from.", required=True),
        Column("message_key", Scalar.STRING, "Keyed hash of (source, messageId); null if unknown."),
        Column("payload_hash", Scalar.STRING, "Hash of what the event says; null if rejected."),
        Column("received_at", Scalar.TIMESTAMP, "When it was received.", required=True),
        Column(
            "state",
            Scalar.STRING,
            "stored, duplicate, conflict or rejected, as decided by the run that loaded it.",
            required=True,
        ),
        Column("reason", Scalar.STRING, "Why it was rejected, as a word."),
        Column("sent_on", Scalar.DATE, "The class of message_index that its message belongs to."),
        Column("event_at", Scalar.TIMESTAMP, "When its event happened, as this copy says."),
        Column(
            "is_unlike",
            Scalar.BOOLEAN,
            "Whether a duplicate tells another time, or on another word, than the copy that holds.",
        ),
        Column("anchor_key", Scalar.STRING, "The anchor of its event; null without identifiers."),
        Column(
            "identifiers",
            ListOf(Scalar.STRING),
            "Keys that a copy names which is in conflict, unlike, or displaced by this one.",
        ),
        Column("raw_object", Scalar.STRING, "The archive's object that holds it.", required=True),
        Column("raw_line", Scalar.LONG, "Its line in that object, from 0.", required=True),
        Column("received_on", Scalar.DATE, "Day of receipt in UTC.", required=True),
        RUN_ID,
    ),
    partition=("received_on",),
    sort=("receipt_id",),
)

MESSAGE_INDEX = LakeTable(
    "message_index",
    "The canonical copy of each message: the one with the smallest (received_at, receipt_id).",
    (
        Column("message_key", Scalar.STRING, "Keyed hash of (source, messageId).", required=True),
        Column("payload_hash", Scalar.STRING, "Hash of the canonical copy.", required=True),
        Column("receipt_id", Scalar.STRING, "Receipt of the canonical copy.", required=True),
        Column("received_at", Scalar.TIMESTAMP, "When that copy was received.", required=True),
        Column("event_on", Scalar.DATE, "Partition of events that holds it.", required=True),
        Column("anchor_key", Scalar.STRING, "Anchor of that copy; null without identifiers."),
        Column(
            "sent_on",
            Scalar.DATE,
            "Day of the client's original time, in which copies meet; 1970-01-01 for none.",
            required=True,
        ),
        Column("event_at", Scalar.TIMESTAMP, "When its event happened, as that copy says."),
        Column("assurance", Scalar.INT, "0 anonymous, 1 claimed, 2 verified, of that copy."),
        RUN_ID,
    ),
    partition=("sent_on",),
    sort=("message_key",),
)

RAW_FILES = LakeTable(
    "raw_files",
    "The ledger: each object of the archive or of the drop zone that a run has taken in.",
    (
        Column("object", Scalar.STRING, "The object's key.", required=True),
        Column("etag", Scalar.STRING, "The object's entity tag.", required=True),
        Column("kind", Scalar.STRING, "raw, rejected or import.", required=True),
        Column("bytes", Scalar.LONG, "The object's size.", required=True),
        Column("lines", Scalar.LONG, "Lines or rows read from it.", required=True),
        Column("unreadable", Scalar.LONG, "Lines of no known form.", required=True),
        Column("arrived_on", Scalar.DATE, "Day of arrival in UTC.", required=True),
        RUN_ID,
    ),
    partition=("arrived_on",),
    sort=("object",),
)

RUNS = LakeTable(
    "runs",
    "One row for each stage of each run that was closed.",
    (
        RUN_ID,
        Column("seq", Scalar.LONG, "Number of the run; it fences older runs off.", required=True),
        Column("moment", Scalar.TIMESTAMP, "The run's now, the same in each stage.", required=True),
        Column("stage", Scalar.STRING, "The stage, or run for the whole.", required=True),
        Column("status", Scalar.STRING, "done or failed.", required=True),
        Column("error", Scalar.STRING, "Why it failed; never personal data."),
        Column("inputs", Scalar.LONG, "Objects that the run took in.", required=True),
        Column("figures", Scalar.STRING, "The stage's figures as JSON.", required=True),
        Column("workspace_version", Scalar.STRING, "Version of the workspace in force."),
        Column("closed_at", Scalar.TIMESTAMP, "When the run was closed.", required=True),
    ),
    sort=("seq", "stage"),
)
