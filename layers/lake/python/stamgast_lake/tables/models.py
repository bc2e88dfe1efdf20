"""Models as they were tried and used, and what those in use say of people."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, Scalar

MODELS = LakeTable(
    "models",
    "Versions of models and what became of each: a log, whose newest row of a version holds.",
    (
        Column("model", Scalar.STRING, "The model's name in models.yaml.", required=True),
        Column("version", Scalar.STRING, "The version, by the run that made it.", required=True),
        Column(
            "state",
            Scalar.STRING,
            "champion, retired (was one), kept_out (not better) or abstained.",
            required=True,
        ),
        Column("why", Scalar.STRING, "Why it is in that state; null for a trained champion."),
        Column("kind", Scalar.STRING, "The model's kind.", required=True),
        Column("definition", Scalar.STRING, "Version of its declaration.", required=True),
        Column(
            "declaration",
            Scalar.STRING,
            "The declaration itself as JSON: its features are those that it scores by.",
            required=True,
        ),
        Column("trained_at", Scalar.TIMESTAMP, "The moment its data ends.", required=True),
        Column("scored_on", Scalar.DATE, "The newest cut-off of its training run.", required=True),
        Column("learnt_on", Scalar.STRING, "The cut-offs learnt of, as JSON.", required=True),
        Column("artefact", Scalar.STRING, "Object that holds the model; null without one."),
        Column("sha256", Scalar.STRING, "SHA-256 of that object, which scoring checks."),
        Column("reference", Scalar.STRING, "Bins that drift is measured by, as JSON."),
        Column("metrics", Scalar.STRING, "How it was judged, as JSON.", required=True),
        Column("card", Scalar.STRING, "Its card as JSON.", required=True),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        RUN_ID,
    ),
    sort=("model", "version", "recorded_at"),
)

SCORES = LakeTable(
    "scores",
    "What models say of people; a log of changes, without a value once somebody is not scored.",
    (
        Column("person_id", Scalar.STRING, "The person.", required=True),
        Column("model", Scalar.STRING, "The model.", required=True),
        Column("version", Scalar.STRING, "The version that says so.", required=True),
        Column("value", Scalar.DOUBLE, "Calibrated probability, or amount; null: not scored."),
        Column("percentile", Scalar.DOUBLE, "Among all who are scored, 0 to 100."),
        Column(
            "band", Scalar.STRING, "very_high, high, medium or low; of clusters the name of one."
        ),
        Column("low", Scalar.DOUBLE, "Lower bound of the interval; null without one."),
        Column("high", Scalar.DOUBLE, "Upper bound of the interval; null without one."),
        Column("reasons", Scalar.STRING, "Features that moved it most, as a JSON list."),
        Column("detail", Scalar.STRING, "What its kind says beside the value, as JSON."),
        Column("scored_on", Scalar.DATE, "The cut-off: what is known ends before it."),
        Column("valid_until", Scalar.TIMESTAMP, "From then on nobody is told.", required=True),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of the person, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("model",),
    sort=("person_id", "recorded_at"),
)
