"""Who is who: identifiers to persons, and the persons, as logs of changes."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, Scalar

IDENTITY = LakeTable(
    "identity",
    "Which person an identifier belongs to; a log of changes, identity_current has the latest.",
    (
        Column("identifier", Scalar.STRING, "The identifier's key.", required=True),
        Column("namespace", Scalar.STRING, "Its namespace.", required=True),
        Column("person_id", Scalar.STRING, "The person; null when it names nobody any more."),
        Column("cause", Scalar.STRING, "founded, joined, split or limited.", required=True),
        Column("support", Scalar.STRING, "Message key of the evidence that decides."),
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
        Column("state", Scalar.STRING, "active or merged.", required=True),
        Column("into", Scalar.STRING, "The person that it was merged into."),
        Column("born_at", Scalar.TIMESTAMP, "Receipt of the founding message.", required=True),
        Column("founding_source", Scalar.STRING, "Its source.", required=True),
        Column("founding_message", Scalar.STRING, "Its message id.", required=True),
        Column("founding_position", Scalar.INT, "Its position.", required=True),
        Column("identifiers", Scalar.LONG, "How many identifiers it has.", required=True),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of the person, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("person_id", "recorded_at"),
)
