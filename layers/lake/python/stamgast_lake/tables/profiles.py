"""What is known: the base facts of each anchor, the profile of each person, and its RFM cell."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, ListOf, Scalar, Struct

SPENDING = Struct(
    (
        ("currency", Scalar.STRING),
        ("orders", Scalar.LONG),
        ("revenue_minor", Scalar.LONG),
        ("first_ms", Scalar.LONG),
        ("last_ms", Scalar.LONG),
    )
)

ANCHORS = LakeTable(
    "anchors",
    "The base facts of each anchor; a log of changes, anchors_current has the latest.",
    (
        Column("anchor_key", Scalar.STRING, "The anchor.", required=True),
        Column("events", Scalar.LONG, "How many messages its facts hold.", required=True),
        Column(
            "facts", Scalar.STRING, "The facts as JSON, with each trait's message.", required=True
        ),
        Column("facts_hash", Scalar.STRING, "Hash of the facts.", required=True),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of the anchor, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("anchor_key",),
)

PROFILES = LakeTable(
    "profiles",
    "One profile a person; a log of changes, profiles_current has the latest.",
    (
        Column("person_id", Scalar.STRING, "The person.", required=True),
        Column("first_at", Scalar.TIMESTAMP, "Time of the first event."),
        Column("last_at", Scalar.TIMESTAMP, "Time of the last event."),
        Column("traits", Scalar.STRING, "Traits with provenance as JSON.", required=True),
        Column("counters", Scalar.STRING, "Events counted by name, as JSON.", required=True),
        Column("orders", Scalar.LONG, "Number of completed orders.", required=True),
        Column("revenue_minor", Scalar.LONG, "Revenue in the principal currency.", required=True),
        Column("currency", Scalar.STRING, "The principal currency (ISO 4217)."),
        Column("spending", ListOf(SPENDING), "Orders and revenue in each currency."),
        Column("profile_hash", Scalar.STRING, "Hash of what the row says.", required=True),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of the person, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("person_id", "recorded_at"),
)

RFM = LakeTable(
    "rfm",
    "Recency, frequency and monetary value of each person with orders; a log of changes.",
    (
        Column("person_id", Scalar.STRING, "The person.", required=True),
        Column("recency_days", Scalar.LONG, "Days since the last order, at recorded_at."),
        Column("last_order_on", Scalar.DATE, "Day of the last order in UTC."),
        Column("frequency", Scalar.LONG, "Number of orders; 0 when none is left.", required=True),
        Column("monetary_minor", Scalar.LONG, "Revenue in the principal currency."),
        Column("currency", Scalar.STRING, "The principal currency (ISO 4217)."),
        Column("r", Scalar.INT, "Recency score, 1 to 5; null without orders."),
        Column("f", Scalar.INT, "Frequency score, 1 to 5; null without orders."),
        Column("m", Scalar.INT, "Monetary score, 1 to 5; null without orders."),
        Column("segment", Scalar.STRING, "Name of the cell; null without orders."),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of the person, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("person_id", "recorded_at"),
)
