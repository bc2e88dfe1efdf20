"""The wildcards that are left in a role, each acknowledged with its reason."""

from collections.abc import Iterator, Sequence

from aws_cdk import aws_iam as iam

from infra.blocks.acknowledge import acknowledge
from infra.data_stack import DataStack

CATALOGUE = "arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>"
EXPORTS = {
    "LakeBucket": "ExportsOutputFnGetAttLakeBucketArn4B06F64C",
    "AuditBucket": "ExportsOutputFnGetAttAuditBucketArn7E825CC8",
}


def acknowledge_wildcards(
    role: iam.Role, statements: Sequence[iam.PolicyStatement], data: DataStack
) -> None:
    """Say why these statements may match more than one object or table."""
    resources = {name for statement in statements for name in statement.resources}
    for finding, reason in sorted(_reasons(resources, data)):
        acknowledge(role, f"AwsSolutions-IAM5[Resource::{finding}]", reason)


def acknowledge_tracing(role: iam.Role) -> None:
    """Say why a traced role has a resource of `*`."""
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "X-Ray and the delivery of a state machine's logs know no resources.",
    )


def _reasons(resources: set[str], data: DataStack) -> Iterator[tuple[str, str]]:
    for name in resources:
        suffix = name.rpartition("}")[2]
        for bucket in (data.bucket, data.audit):
            if name.startswith(bucket.bucket_arn) and suffix.endswith("/*"):
                yield (
                    f"{data.stack_name}:{EXPORTS[bucket.node.id]}{suffix}",
                    "Objects of one prefix of a bucket; their names are not known beforehand.",
                )
        if suffix.endswith("-authoritative:*"):
            yield (
                f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>{suffix}",
                "Executions of the run's own state machine; their names are not known beforehand.",
            )
        if suffix.endswith(f"table/{data.database_name}/*"):
            yield (
                f"{CATALOGUE}:table/{data.database_name}/*",
                "Tables of the lake's own database, which the stages make and commit.",
            )
