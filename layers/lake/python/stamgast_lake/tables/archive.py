"""The archive: newline-delimited JSON as it arrived, partitioned by the hour of arrival."""

from stamgast_lake.tables.columns import Column, Form, LakeTable, ListOf, Scalar

ARRIVAL = (
    Column("date", Scalar.STRING, "Day of arrival in UTC, from the object's key."),
    Column("hour", Scalar.STRING, "Hour of arrival in UTC, from the object's key."),
)

RAW_EVENTS = LakeTable(
    "raw_events",
    "Accepted events as they came, one line a receipt; immutable.",
    (
        Column("receipt_id", Scalar.STRING, "Request id and index: what is conserved."),
        Column("request_id", Scalar.STRING, "The request, or the imported file, that brought it."),
        Column("index", Scalar.LONG, "Position in the request, or row of the file, from 0."),
        Column("received_at", Scalar.STRING, "When it was received, ISO 8601 in UTC."),
        Column("source_id", Scalar.STRING, "The source that the write key or folder belongs to."),
        Column("assurance", Scalar.STRING, "How well the source is known: claimed or verified."),
        Column("sent_at", Scalar.STRING, "The client's clock when it sent, ISO 8601 in UTC."),
        Column("original_at", Scalar.STRING, "The client's own time of the event, as it said it."),
        Column("event_at", Scalar.STRING, "That time corrected by the clock's error, clamped."),
        Column(
            "type",
            Scalar.STRING,
            "identify, track, page, screen, group or alias; cut or lift of an operator.",
        ),
        Column("message_id", Scalar.STRING, "The client's id of the message, or a hash."),
        Column("payload_hash", Scalar.STRING, "Hash of what the event says."),
        Column("ip", Scalar.STRING, "The sender's address, truncated."),
        Column("user_agent", Scalar.STRING, "The sender's user agent."),
        Column("body", Scalar.STRING, "The event's JSON as it came, after merging its batch."),
        Column("notes", ListOf(Scalar.STRING), "What the lenient reading had to change."),
        *ARRIVAL,
    ),
    partition=("date", "hour"),
    form=Form.NDJSON,
)

DISCLOSURES = LakeTable(
    "disclosures",
    "Each look-up and each change told to others: of whom, for what, or why not; append-only.",
    (
        Column("disclosure_id", Scalar.STRING, "The request and place in it, or the change's id."),
        Column(
            "kind",
            Scalar.STRING,
            "profile, timeline, segment_entered, segment_left, or what an operator asked for.",
        ),
        Column(
            "person_ref",
            Scalar.STRING,
            "The person, hashed under a salt of their own; null where nobody was found.",
        ),
        Column("recipient", Scalar.STRING, "The token's name, or event_bus."),
        Column("purpose", Scalar.STRING, "For what; null where the token names no purpose."),
        Column("segment", Scalar.STRING, "The segment of a change."),
        Column("fields", ListOf(Scalar.STRING), "What was asked for; empty if refused."),
        Column("is_allowed", Scalar.BOOLEAN, "Whether it was shown or told."),
        Column(
            "reason",
            Scalar.STRING,
            "As in egress_receipts; no_purpose_named, not_found, asked_for and the like beside.",
        ),
        Column(
            "consent_ref",
            Scalar.STRING,
            "The message that decided, hashed under the same salt; null for none.",
        ),
        Column("consent_at", Scalar.STRING, "When it was said, ISO 8601 in UTC."),
        Column("decided_at", Scalar.STRING, "When it was decided, ISO 8601 in UTC."),
        *ARRIVAL,
    ),
    partition=("date", "hour"),
    form=Form.NDJSON,
)

REJECTED_EVENTS = LakeTable(
    "rejected_events",
    "Refused events with their reason and original text, one line a receipt; kept 30 days.",
    (
        Column("receipt_id", Scalar.STRING, "Request id and index: what is conserved."),
        Column("received_at", Scalar.STRING, "When it was received, ISO 8601 in UTC."),
        Column("source_id", Scalar.STRING, "The source that the write key or folder belongs to."),
        Column("code", Scalar.STRING, "The reason as a word."),
        Column("path", Scalar.STRING, "Where in the event the fault lies."),
        Column("message", Scalar.STRING, "The reason as a sentence."),
        Column("original", Scalar.STRING, "The event's original text."),
        Column("message_id", Scalar.STRING, "The client's message id, if readable."),
        Column("identifiers", Scalar.STRING_MAP, "Identifiers that could be read from it."),
        Column("stamps", Scalar.STRING, "What a replay needs, as JSON, if the plan set it aside."),
        *ARRIVAL,
    ),
    partition=("date", "hour"),
    form=Form.NDJSON,
)
