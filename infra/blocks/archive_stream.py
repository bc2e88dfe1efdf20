"""A Firehose stream that lays newline-joined records into the lake by hour of arrival."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.retention import kept
from infra.blocks.wildcards import acknowledge_wildcards
from infra.data_stack import DataStack
from infra.environments import Environment

HOUR = "date=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"
BUFFER_MB = 64
Stream = firehose.CfnDeliveryStream


class ArchiveStream(Construct):
    """Gzipped objects under `<prefix>/`; what cannot be written goes under `errors/<prefix>/`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        data: DataStack,
        prefix: str,
        bucket: s3.IBucket | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._bucket = bucket or data.bucket
        self._logs = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/stamgast/{environment.name}/firehose-{prefix}",
            retention=kept(environment.log_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._log_stream = logs.LogStream(
            self, "LogStream", log_group=self._logs, removal_policy=RemovalPolicy.DESTROY
        )
        self.role = self._role(data, prefix)
        self.resource = Stream(
            self,
            "Stream",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                Stream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
            ),
            extended_s3_destination_configuration=self._destination(environment, prefix),
        )
        self.resource.node.add_dependency(self.role)
        self.name = self.resource.ref
        self.arn = self.resource.attr_arn

    def _role(self, data: DataStack, prefix: str) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        statements = [
            permissions.list_objects(data, self._bucket),
            permissions.write_objects(data, f"{prefix}/", f"errors/{prefix}/", bucket=self._bucket),
            permissions.use_key(data),
            iam.PolicyStatement(
                actions=["logs:PutLogEvents"], resources=[self._logs.log_group_arn]
            ),
        ]
        for statement in statements:
            role.add_to_policy(statement)
        acknowledge_wildcards(role, statements, data)
        return role

    def _destination(
        self, environment: Environment, prefix: str
    ) -> Stream.ExtendedS3DestinationConfigurationProperty:
        return Stream.ExtendedS3DestinationConfigurationProperty(
            bucket_arn=self._bucket.bucket_arn,
            role_arn=self.role.role_arn,
            prefix=f"{prefix}/{HOUR}",
            error_output_prefix=f"errors/{prefix}/!{{firehose:error-output-type}}/{HOUR}",
            compression_format="GZIP",
            buffering_hints=Stream.BufferingHintsProperty(
                interval_in_seconds=environment.archive_seconds, size_in_m_bs=BUFFER_MB
            ),
            cloud_watch_logging_options=Stream.CloudWatchLoggingOptionsProperty(
                enabled=True,
                log_group_name=self._logs.log_group_name,
                log_stream_name=self._log_stream.log_stream_name,
            ),
        )
