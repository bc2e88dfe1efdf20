"""What events say, once each: the events themselves, and the evidence for identity in them."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, ListOf, Scalar, Struct

IDENTIFIER = Struct(
    (
        ("key", Scalar.STRING),
        ("namespace", Scalar.STRING),
        ("kind", Scalar.STRING),
        ("priority", Scalar.INT),
        ("value", Scalar.STRING),
    )
)
PRODUCT = Struct(
    (
        ("product_id", Scalar.STRING),
        ("category", Scalar.STRING),
        ("price_minor", Scalar.LONG),
        ("quantity", Scalar.LONG),
        ("discount_minor", Scalar.LONG),
    )
)

EVENTS = LakeTable(
    "events",
    "Each message once, interpreted; it names its anchor, never a person.",
    (
        Column("message_key", Scalar.STRING, "Keyed hash of (source, messageId).", required=True),
        Column("message_id", Scalar.STRING, "The client's id of the message.", required=True),
        Column("source_id", Scalar.STRING, "The source that it came from.", required=True),
        Column("receipt_id", Scalar.STRING, "Receipt of the canonical copy.", required=True),
        Column("payload_hash", Scalar.STRING, "Hash of the canonical copy.", required=True),
        Column("type", Scalar.STRING, "The call: identify, track, page, ….", required=True),
        Column("event", Scalar.STRING, "Name of a tracked event, page or screen."),
        Column("event_at", Scalar.TIMESTAMP, "When it happened, corrected.", required=True),
        Column("original_at", Scalar.TIMESTAMP, "The client's own time; null without one."),
        Column("received_at", Scalar.TIMESTAMP, "When it was received.", required=True),
        Column("assurance", Scalar.INT, "0 anonymous, 1 claimed, 2 verified.", required=True),
        Column("has_own_time", Scalar.BOOLEAN, "Whether its own time can place it.", required=True),
        Column("anchor_key", Scalar.STRING, "Key of its first identifier; null without one."),
        Column("identifiers", ListOf(IDENTIFIER), "Its identifiers by priority, then key."),
        Column("order_id", Scalar.STRING, "Id of the completed order."),
        Column("revenue_minor", Scalar.LONG, "Revenue of the completed order in minor units."),
        Column("currency", Scalar.STRING, "Its currency (ISO 4217)."),
        Column("products", ListOf(PRODUCT), "Its lines, prices in minor units."),
        Column("campaign", Scalar.STRING, "The campaign in the context, as JSON."),
        Column("page", Scalar.STRING, "The page in the context, as JSON."),
        Column("properties", Scalar.STRING, "The properties as JSON, without the order's lines."),
        Column("traits", Scalar.STRING, "The traits as JSON; null if there are none."),
        Column("context", Scalar.STRING, "The rest of the context as JSON."),
        Column("ip", Scalar.STRING, "The device's address, truncated to /24, or /48 in IPv6."),
        Column("user_agent", Scalar.STRING, "The device's agent."),
        Column("locale", Scalar.STRING, "The locale in the context."),
        Column("time_zone", Scalar.STRING, "The time zone in the context."),
        Column("event_on", Scalar.DATE, "Day of event_at in UTC.", required=True),
        RUN_ID,
    ),
    partition=("event_on",),
    sort=("anchor_key", "event_at", "message_key"),
)

EVIDENCE = LakeTable(
    "evidence",
    "Which identifiers a message names together: a star around its anchor, one row an edge.",
    (
        Column("edge_key", Scalar.STRING, "Both keys in order, joined by a bar.", required=True),
        Column("a", Scalar.STRING, "The anchor.", required=True),
        Column("b", Scalar.STRING, "The other; null in a message that names the anchor alone."),
        Column("namespace_a", Scalar.STRING, "Namespace of a.", required=True),
        Column("namespace_b", Scalar.STRING, "Namespace of b."),
        Column("position", Scalar.INT, "Position of b; of a where b is null.", required=True),
        Column("message_key", Scalar.STRING, "The message that says so.", required=True),
        Column("message_id", Scalar.STRING, "The client's id of the message.", required=True),
        Column("event_at", Scalar.TIMESTAMP, "When it happened.", required=True),
        Column("received_at", Scalar.TIMESTAMP, "When it was received.", required=True),
        Column("source_id", Scalar.STRING, "The source that it came from.", required=True),
        Column("assurance", Scalar.INT, "0 anonymous, 1 claimed, 2 verified.", required=True),
        Column("rule", Scalar.STRING, "seen_together, alone, cut or lift.", required=True),
        Column("probability", Scalar.DOUBLE, "Match probability of a statistical link."),
        Column("expires_at", Scalar.TIMESTAMP, "When a statistical link ends."),
        Column("receipt_id", Scalar.STRING, "Receipt of the copy that says so."),
        Column("shard", Scalar.INT, "Shard of a, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("a", "b", "event_at", "message_key"),
)

CONSTRAINTS = LakeTable(
    "constraints",
    "What identity may not do: cannot-links, values that link nobody, refused edges, tombstones.",
    (
        Column("kind", Scalar.STRING, "cannot_link, off, refused or tombstone.", required=True),
        Column("a", Scalar.STRING, "The identifier's key.", required=True),
        Column("b", Scalar.STRING, "The other identifier of a cannot-link or of a refused edge."),
        Column(
            "recorded_at",
            Scalar.TIMESTAMP,
            "When it was decided; of what a run found out, its moment.",
            required=True,
        ),
        Column("by", Scalar.STRING, "run, or the name of the token that asked.", required=True),
        Column("reason", Scalar.STRING, "Why."),
        Column("lifted_at", Scalar.TIMESTAMP, "When it was lifted; null while it holds."),
        Column("message_key", Scalar.STRING, "The message of a cut or a lift."),
        RUN_ID,
    ),
    sort=("kind", "a", "recorded_at"),
)
