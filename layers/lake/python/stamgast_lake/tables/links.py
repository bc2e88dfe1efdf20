"""What models believe of two identifiers, and the models: provisional links never join anybody."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, Scalar

LINKS = LakeTable(
    "links",
    "Provisional links and what became of them; a log of changes, one link a pair and kind.",
    (
        Column("kind", Scalar.STRING, "device or record.", required=True),
        Column("a", Scalar.STRING, "Key of the smaller identifier.", required=True),
        Column("b", Scalar.STRING, "Key of the other.", required=True),
        Column(
            "state",
            Scalar.STRING,
            "standing, expired, withdrawn, confirmed or refuted.",
            required=True,
        ),
        Column("probability", Scalar.DOUBLE, "Match probability, by the rule.", required=True),
        Column("rule", Scalar.STRING, "kind:version of the model that says so.", required=True),
        Column("reasons", Scalar.STRING, "Weights by feature or column, as JSON.", required=True),
        Column("stated_at", Scalar.TIMESTAMP, "Moment it was first stated.", required=True),
        Column("expires_at", Scalar.TIMESTAMP, "When it ends unless stated anew.", required=True),
        Column("settled_at", Scalar.TIMESTAMP, "When the message that settles it came."),
        Column("settled_by", Scalar.STRING, "Key of that message; null for an operator's cut."),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of a, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("a", "b", "recorded_at"),
)

LINK_MODELS = LakeTable(
    "link_models",
    "Models of links as data, with their reliability on held-out log-ins; an append-only log.",
    (
        Column("kind", Scalar.STRING, "device or record.", required=True),
        Column("version", Scalar.STRING, "The version, by its moment."),
        Column("trained_at", Scalar.TIMESTAMP, "The moment that its data ends.", required=True),
        Column("is_used", Scalar.BOOLEAN, "Whether its links are stored.", required=True),
        Column("why", Scalar.STRING, "Why it abstains or is not used; null when it is."),
        Column("model", Scalar.STRING, "Coefficients and calibration as JSON; null without one."),
        Column("report", Scalar.STRING, "Labels, curve and scores as JSON.", required=True),
        RUN_ID,
    ),
    sort=("kind", "trained_at"),
)
