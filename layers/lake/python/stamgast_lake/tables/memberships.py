"""Who belongs where, since when, and why; and what is computed of each person."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, Scalar

MEMBERSHIPS = LakeTable(
    "memberships",
    "Who entered or left which segment; a log of changes, memberships_current has who is in.",
    (
        Column("person_id", Scalar.STRING, "The person.", required=True),
        Column("segment", Scalar.STRING, "The segment.", required=True),
        Column("change", Scalar.STRING, "entered or left.", required=True),
        Column("rule_version", Scalar.STRING, "Version of the rule that decided.", required=True),
        Column("at", Scalar.TIMESTAMP, "The moment for which it was decided.", required=True),
        Column(
            "because",
            Scalar.STRING,
            "facts, rule_changed, person_gone or segment_gone.",
            required=True,
        ),
        Column(
            "change_id", Scalar.STRING, "The same for every telling of this change.", required=True
        ),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        RUN_ID,
    ),
    partition=("segment",),
    sort=("person_id", "recorded_at"),
)

COMPUTED_TRAITS = LakeTable(
    "computed_traits",
    "The computed traits of each person; a log of changes, computed_traits_current has the latest.",
    (
        Column("person_id", Scalar.STRING, "The person.", required=True),
        Column(
            "traits",
            Scalar.STRING,
            'The traits as JSON; a count of days as `{"$since": day}`, the day to count from.',
            required=True,
        ),
        Column("recorded_at", Scalar.TIMESTAMP, "The moment of the run.", required=True),
        Column("shard", Scalar.INT, "Shard of the person, 0 to 15.", required=True),
        RUN_ID,
    ),
    partition=("shard",),
    sort=("person_id", "recorded_at"),
)
