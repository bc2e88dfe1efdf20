"""Statements of least privilege: each names its actions and the narrowest resource there is."""

from aws_cdk import ArnFormat
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.data_stack import DataStack

READ_ITEMS = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
WRITE_ITEMS = [
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
]
# A batch of writes, each under a condition of its own, is PartiQL's alone.
INSERT_ITEMS = ["dynamodb:PartiQLInsert"]
UPDATE_ITEMS = ["dynamodb:PartiQLUpdate"]
AUDITED = ("disclosures/", "errors/disclosures/")
READ_CATALOGUE = ["glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"]
WRITE_CATALOGUE = ["glue:CreateTable", "glue:DeleteTable", "glue:UpdateTable"]
USE_KEY = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]


def read_items(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Allow reads of this table."""
    return iam.PolicyStatement(actions=READ_ITEMS, resources=[table.table_arn])


def write_items(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Allow reads and writes of this table, in transactions too."""
    return iam.PolicyStatement(actions=READ_ITEMS + WRITE_ITEMS, resources=[table.table_arn])


def write_many_items(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Allow reads and writes of this table, and batches of new items."""
    return iam.PolicyStatement(
        actions=READ_ITEMS + WRITE_ITEMS + INSERT_ITEMS, resources=[table.table_arn]
    )


def update_many_items(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Allow reads and writes of this table, and batches of new items and of changes."""
    return iam.PolicyStatement(
        actions=READ_ITEMS + WRITE_ITEMS + INSERT_ITEMS + UPDATE_ITEMS,
        resources=[table.table_arn],
    )


def take_rate(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Allow reads of this table and the counting of requests in it."""
    return iam.PolicyStatement(
        actions=[*READ_ITEMS, "dynamodb:UpdateItem"], resources=[table.table_arn]
    )


def put_new_items(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Allow reads of this table and whole items to be put."""
    return iam.PolicyStatement(
        actions=[*READ_ITEMS, "dynamodb:PutItem"], resources=[table.table_arn]
    )


def keep_audit(data: DataStack, stream_arn: str) -> list[iam.PolicyStatement]:
    """Allow lines to the audit log, and salts of persons, of all of `control` alone, to be made."""
    return [
        put_records(stream_arn),
        iam.PolicyStatement(
            actions=["dynamodb:UpdateItem"],
            resources=[data.control.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["SALT#*"]}},
        ),
    ]


def scan_items(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Allow the whole of this table to be read."""
    return iam.PolicyStatement(actions=["dynamodb:Scan"], resources=[table.table_arn])


def filter_messages(queue: sqs.IQueue) -> iam.PolicyStatement:
    """Allow the messages of this queue to be read, replaced and shown again."""
    return iam.PolicyStatement(
        actions=[
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        ],
        resources=[queue.queue_arn],
    )


def sign(key: kms.IKey) -> iam.PolicyStatement:
    """Allow signatures by this key, and its public part to be told."""
    return iam.PolicyStatement(actions=["kms:GetPublicKey", "kms:Sign"], resources=[key.key_arn])


def invoke(data: DataStack, name: str) -> iam.PolicyStatement:
    """Allow the function of this name, with its alias where it has one, to be invoked."""
    arn = data.format_arn(
        service="lambda",
        resource="function",
        resource_name=name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[arn])


def send_messages(queue: sqs.IQueue) -> iam.PolicyStatement:
    """Allow messages to this queue."""
    return iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn])


def put_events(bus: events.IEventBus) -> iam.PolicyStatement:
    """Allow events to this bus."""
    return iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn])


def put_records(*stream_arns: str) -> iam.PolicyStatement:
    """Allow records to these delivery streams."""
    return iam.PolicyStatement(
        actions=["firehose:PutRecord", "firehose:PutRecordBatch"], resources=list(stream_arns)
    )


def read_secret(data: DataStack) -> iam.PolicyStatement:
    """Allow the workspace's secret to be read; its ARN ends in six random characters."""
    return iam.PolicyStatement(
        actions=["secretsmanager:GetSecretValue"], resources=[secret_arn(data)]
    )


def secret_arn(data: DataStack) -> str:
    """Return the pattern of the secret's ARN, which holds whatever suffix it was given."""
    return data.format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{data.secret_name}-??????",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def use_key(data: DataStack) -> iam.PolicyStatement:
    """Allow the workspace's key, only through the services that keep data under it."""
    services = ("dynamodb", "s3", "secretsmanager", "sns")
    return iam.PolicyStatement(
        actions=USE_KEY,
        resources=[data.key.key_arn],
        conditions={
            "StringEquals": {
                "kms:ViaService": [f"{name}.{data.region}.amazonaws.com" for name in services]
            }
        },
    )


def read_objects(data: DataStack, *prefixes: str) -> iam.PolicyStatement:
    """Allow objects under these prefixes to be read."""
    return iam.PolicyStatement(actions=["s3:GetObject"], resources=_objects(data, prefixes))


def write_objects(
    data: DataStack, *prefixes: str, bucket: s3.IBucket | None = None
) -> iam.PolicyStatement:
    """Allow objects under these prefixes to be written, in parts too."""
    return iam.PolicyStatement(
        actions=["s3:AbortMultipartUpload", "s3:PutObject"],
        resources=_objects(data, prefixes, bucket),
    )


def delete_objects(data: DataStack, *prefixes: str) -> iam.PolicyStatement:
    """Allow objects under these prefixes to be deleted."""
    return iam.PolicyStatement(actions=["s3:DeleteObject"], resources=_objects(data, prefixes))


def use_versions(data: DataStack, *prefixes: str) -> iam.PolicyStatement:
    """Allow versions of objects under these prefixes to be read and deleted."""
    return iam.PolicyStatement(
        actions=["s3:DeleteObjectVersion", "s3:GetObjectVersion"],
        resources=_objects(data, prefixes),
    )


def list_versions(data: DataStack) -> iam.PolicyStatement:
    """Allow the versions in the lake bucket to be listed."""
    return iam.PolicyStatement(
        actions=["s3:ListBucketVersions"], resources=[data.bucket.bucket_arn]
    )


def search_audit(data: DataStack) -> list[iam.PolicyStatement]:
    """Allow every version in the audit log to be read, and none to be changed."""
    return [
        iam.PolicyStatement(actions=["s3:ListBucketVersions"], resources=[data.audit.bucket_arn]),
        iam.PolicyStatement(
            actions=["s3:GetObject", "s3:GetObjectVersion"],
            resources=_objects(data, AUDITED, data.audit),
        ),
    ]


def list_objects(data: DataStack, bucket: s3.IBucket | None = None) -> iam.PolicyStatement:
    """Allow the lake bucket, or another, to be listed and its region to be asked."""
    return iam.PolicyStatement(
        actions=["s3:GetBucketLocation", "s3:ListBucket"],
        resources=[(bucket or data.bucket).bucket_arn],
    )


def use_catalogue(data: DataStack) -> iam.PolicyStatement:
    """Allow the tables of the lake's database to be read, made and committed."""
    return iam.PolicyStatement(actions=READ_CATALOGUE + WRITE_CATALOGUE, resources=_tables(data))


def _tables(data: DataStack) -> list[str]:
    name = data.database_name
    return [
        data.format_arn(service="glue", resource="catalog"),
        data.format_arn(service="glue", resource="database", resource_name=name),
        data.format_arn(service="glue", resource="table", resource_name=f"{name}/*"),
    ]


def read_catalogue(data: DataStack) -> iam.PolicyStatement:
    """Allow the tables of the lake's database to be read."""
    return iam.PolicyStatement(actions=READ_CATALOGUE, resources=_tables(data))


def read_workspace(data: DataStack) -> list[iam.PolicyStatement]:
    """Allow what every function with settings needs: compiled workspace, secret and key."""
    return [read_objects(data, "workspace/"), read_secret(data), use_key(data)]


def use_lake(data: DataStack) -> list[iam.PolicyStatement]:
    """Allow what a stage over the lake's tables needs."""
    return [
        *read_workspace(data),
        list_objects(data),
        read_objects(data, "imports/", "raw/", "rejected/", "runs/", "warehouse/"),
        write_objects(data, "runs/", "warehouse/"),
        delete_objects(data, "warehouse/"),
        use_catalogue(data),
        write_items(data.control),
    ]


def read_lake(data: DataStack) -> list[iam.PolicyStatement]:
    """Allow what a question to the lake's tables needs, and no write."""
    return [
        *read_workspace(data),
        list_objects(data),
        read_objects(data, "warehouse/"),
        read_catalogue(data),
    ]


def _objects(
    data: DataStack, prefixes: tuple[str, ...], bucket: s3.IBucket | None = None
) -> list[str]:
    return [(bucket or data.bucket).arn_for_objects(f"{prefix}*") for prefix in prefixes]
