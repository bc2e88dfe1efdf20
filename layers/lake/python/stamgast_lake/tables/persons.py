"""Who is who: edges, identifiers to persons, and the persons, as logs of changes."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, ListOf, Scalar

EDGES = LakeTable(
    "edges",
    "The strongest support of each pair that messages name together; a log of changes.",
    (
        Column("a", Scalar.STRING, "The anchor.", required=True),
        Column("b", Scalar.STRING, "The other.", required=True),
        Column("assurance", Scalar.INT, "0 anonymous, 1 claimed, 2 verified; null: no support."),
        Column("event_at", Scalar.TIMESTAMP, "When the supporting message happened."),
        Column("message_key", Scalar.STRING, "The supporting message; null: none is left."),
        Column("position", Scalar.INT, "Position of b in that message."),
        Column("source_id", Scalar.STRING, "The source that it came from."),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of a, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("a", "b", "recorded_at"),
)

IDENTITY = LakeTable(
    "identity",
    "Which person an identifier belongs to; a log of changes, identity_current has the latest.",
    (
        Column("identifier", Scalar.STRING, "The identifier's key.", required=True),
        Column("namespace", Scalar.STRING, "Its namespace.", required=True),
        Column("person_id", Scalar.STRING, "The person; null when it names nobody any more."),
        Column(
            "cause", Scalar.STRING, "founded, joined, split, limited, seen or gone.", required=True
        ),
        Column("support", Scalar.STRING, "Message key of the evidence that decides."),
        Column("assurance", Scalar.INT, "The best word on which it was seen."),
        Column("is_anchor", Scalar.BOOLEAN, "Whether it is the anchor of a message."),
        Column("born_at", Scalar.TIMESTAMP, "Receipt of the first message that names it."),
        Column("born_message", Scalar.STRING, "Key of that message."),
        Column("born_message_id", Scalar.STRING, "Its id."),
        Column("born_source", Scalar.STRING, "Its source."),
        Column("born_position", Scalar.INT, "The identifier's position in it."),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of the identifier, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("identifier", "recorded_at"),
)

PERSONS = LakeTable(
    "persons",
    "The persons; a log of changes, persons_current has the latest.",
    (
        Column("person_id", Scalar.STRING, "The person.", required=True),
        Column("state", Scalar.STRING, "active, merged or gone.", required=True),
        Column("into", Scalar.STRING, "The person that it was merged into."),
        Column("born_at", Scalar.TIMESTAMP, "Receipt of the founding message.", required=True),
        Column("founding_source", Scalar.STRING, "Its source.", required=True),
        Column("founding_message", Scalar.STRING, "Its message id.", required=True),
        Column("founding_position", Scalar.INT, "Its position.", required=True),
        Column("identifiers", Scalar.LONG, "How many identifiers it has.", required=True),
        Column("members", ListOf(Scalar.STRING), "Their keys, in order."),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of the person, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("person_id", "recorded_at"),
)
