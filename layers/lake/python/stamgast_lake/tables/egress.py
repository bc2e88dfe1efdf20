"""What left the platform and what was kept back: one row for each person and act of egress."""

from stamgast_lake.tables.columns import RUN_ID, Column, LakeTable, ListOf, Scalar

EGRESS_RECEIPTS = LakeTable(
    "egress_receipts",
    "Whose data left for which purpose, to whom, or why it did not; append-only.",
    (
        Column("egress_id", Scalar.STRING, "The act: of an export its job.", required=True),
        Column("kind", Scalar.STRING, "export.", required=True),
        Column("person_id", Scalar.STRING, "The person.", required=True),
        Column("recipient", Scalar.STRING, "Who asked: the token's name.", required=True),
        Column("purpose", Scalar.STRING, "For what.", required=True),
        Column("segment", Scalar.STRING, "The segment that it was about; null for none."),
        Column("rule_version", Scalar.STRING, "Version of that segment's rule."),
        Column("fields", ListOf(Scalar.STRING), "The fields that left; empty if refused."),
        Column("is_allowed", Scalar.BOOLEAN, "Whether the data left.", required=True),
        Column(
            "reason",
            Scalar.STRING,
            "consent_granted, default_granted, consent_unknown, consent_refused, person_suppressed,"
            " consent_withdrawn (since the run) or person_changed (merged, split or gone since).",
            required=True,
        ),
        Column("consent_version", Scalar.STRING, "The message that decided; null for none."),
        Column("consent_at", Scalar.TIMESTAMP, "When it was said; null for none."),
        Column("as_of", Scalar.TIMESTAMP, "The moment of the run that selected.", required=True),
        Column("decided_at", Scalar.TIMESTAMP, "When it was decided.", required=True),
        Column("egress_on", Scalar.DATE, "Day of the act in UTC.", required=True),
        RUN_ID,
    ),
    partition=("egress_on",),
    sort=("person_id", "egress_id"),
)
