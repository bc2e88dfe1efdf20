"""What must survive: the lake, its catalogue, the audit log, `control`, the secret, their key."""

from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.blocks.acknowledge import acknowledge
from infra.blocks.pin import pin
from infra.environments import AuditLock, Environment
from stamgast.erasure.stores import ENDS, OLD_VERSION_DAYS, RECOVERY_DAYS

UNKEYED = '{"version":1}'


class DataStack(Stack):
    """Everything that cannot be recomputed; each logical id is pinned."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, **stack: Any
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Stamgast: what must survive",
            termination_protection=environment.is_kept,
            **stack,
        )
        self._removal = RemovalPolicy.RETAIN if environment.is_kept else RemovalPolicy.DESTROY
        self.key = self._key(environment)
        self.bucket = self._bucket()
        self.audit = self._audit(environment)
        self.database_name = self._database(environment)
        self.control = self._control(environment)
        self.secret_name = self._secret(environment)

    def _key(self, environment: Environment) -> kms.Key:
        key = kms.Key(
            self,
            "WorkspaceKey",
            alias=f"stamgast/{environment.name}",
            description="Encrypts the lake, the tables, the secret and the alarms of a workspace",
            enable_key_rotation=True,
            removal_policy=self._removal,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublishToTheEncryptedTopic",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        pin(key, "WorkspaceKey")
        pin(key.node.find_child("Alias"), "WorkspaceKeyAlias")
        return key

    def _bucket(self) -> s3.Bucket:
        return self._private("LakeBucket", lifecycle_rules=_lifecycle())

    def _audit(self, environment: Environment) -> s3.Bucket:
        """Return the bucket whose objects nobody deletes or overwrites before their time."""
        days = Duration.days(environment.audit_days)
        is_strict = environment.audit_lock is AuditLock.COMPLIANCE
        retention = s3.ObjectLockRetention
        lock = retention.compliance(days) if is_strict else retention.governance(days)
        return self._private(
            "AuditBucket",
            object_lock_enabled=True,
            object_lock_default_retention=lock,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ended",
                    expiration=days,
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                )
            ],
        )

    def _private(self, name: str, **told: Any) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=self._removal,
            **told,
        )
        pin(bucket, name)
        pin(bucket.node.find_child("Policy"), f"{name}Policy")
        acknowledge(
            bucket,
            "AwsSolutions-S1",
            "Access logs name object keys of persons' files and need a bucket of their own; an "
            "account that wants them turns on CloudTrail data events for this bucket.",
        )
        return bucket

    def _database(self, environment: Environment) -> str:
        name = f"stamgast_{environment.name}"
        database = glue.CfnDatabase(
            self,
            "LakeDatabase",
            catalog_id=self.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=name, description="The lake of a Stamgast workspace"
            ),
        )
        database.apply_removal_policy(self._removal)
        pin(database, "LakeDatabase")
        return name

    def _control(self, environment: Environment) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "ControlTable",
            partition_key=dynamodb.Attribute(name="PK", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="SK", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            deletion_protection=environment.is_kept,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True, recovery_period_in_days=RECOVERY_DAYS
            ),
            time_to_live_attribute="ttl",
            removal_policy=self._removal,
        )
        pin(table, "ControlTable")
        return table

    def _secret(self, environment: Environment) -> str:
        name = f"stamgast/{environment.name}/workspace"
        secret = secretsmanager.Secret(
            self,
            "WorkspaceSecret",
            secret_name=name,
            description="Keys the hashes of identifiers; losing it orphans every profile",
            encryption_key=self.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=UNKEYED,
                generate_string_key="secret",
                password_length=64,
                exclude_punctuation=True,
            ),
            removal_policy=self._removal,
        )
        pin(secret, "WorkspaceSecret")
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "Every identifier's key is a hash under this secret: a new secret is a migration of "
            "the whole workspace (the key's version byte is there for it), never a schedule.",
        )
        return name


def _lifecycle() -> list[s3.LifecycleRule]:
    """Return what leaves the lake by itself: leftovers, quarantine, results, lists, exports."""
    return [
        s3.LifecycleRule(
            id="leftovers",
            abort_incomplete_multipart_upload_after=Duration.days(7),
            noncurrent_version_expiration=Duration.days(OLD_VERSION_DAYS),
            expired_object_delete_marker=True,
        ),
        _ending("rejected/"),
        _ending("exports/", noncurrent_version_expiration=Duration.days(1)),
        _ending("athena/"),
        _ending("runs/"),
    ]


def _ending(prefix: str, **told: Any) -> s3.LifecycleRule:
    days = Duration.days(ENDS[prefix])
    return s3.LifecycleRule(id=prefix.rstrip("/"), prefix=prefix, expiration=days, **told)
