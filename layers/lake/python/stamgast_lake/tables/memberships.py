"""Who belongs where, since when, and why."""

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
