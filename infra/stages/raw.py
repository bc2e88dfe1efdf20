"""Raw: the streams that archive what arrived, its tables, and the functions that read them."""

from aws_cdk import Duration
from aws_cdk import aws_athena as athena
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.archive_stream import ArchiveStream
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.lake_table import ArrivalTable
from infra.blocks.workbench import Workbench
from stamgast_lake.tables import DISCLOSURES, RAW_EVENTS, REJECTED_EVENTS

ARRIVALS = ("imports/", "raw/", "rejected/")
SCAN_LIMIT_BYTES = 100 * 1024**3


class Raw(Construct):
    """Immutable, partitioned, compressed files, and how they come to be read."""

    def __init__(self, scope: Construct, construct_id: str, *, bench: Workbench) -> None:
        super().__init__(scope, construct_id)
        self.raw = self._stream("RawStream", bench, "raw")
        self.rejected = self._stream("RejectedStream", bench, "rejected")
        self.disclosures = ArchiveStream(
            self,
            "DisclosuresStream",
            environment=bench.environment,
            data=bench.data,
            prefix="disclosures",
            bucket=bench.data.audit,
        )
        self._tables(bench)
        self._workgroup(bench)
        self.import_file = lake_function(
            self,
            "import_file",
            bench=bench,
            permissions=[permissions.write_objects(bench.data, "raw/", "rejected/")],
            timeout=Duration.minutes(15),
        )
        self.load_events = self._load_events(bench)

    def _load_events(self, bench: Workbench) -> Function:
        """It also takes out of new objects what an erasure keeps away, with their versions."""
        data = bench.data
        return lake_function(
            self,
            "load_events",
            bench=bench,
            timeout=Duration.minutes(15),
            permissions=[
                permissions.write_objects(data, *ARRIVALS),
                permissions.use_versions(data, *ARRIVALS),
                permissions.list_versions(data),
            ],
        )

    def _stream(self, name: str, bench: Workbench, prefix: str) -> ArchiveStream:
        return ArchiveStream(
            self, name, environment=bench.environment, data=bench.data, prefix=prefix
        )

    def _tables(self, bench: Workbench) -> None:
        ArrivalTable(self, "RawEvents", data=bench.data, table=RAW_EVENTS, prefix="raw")
        ArrivalTable(
            self, "RejectedEvents", data=bench.data, table=REJECTED_EVENTS, prefix="rejected"
        )
        ArrivalTable(
            self,
            "Disclosures",
            data=bench.data,
            table=DISCLOSURES,
            prefix="disclosures",
            bucket=bench.data.audit,
        )

    def _workgroup(self, bench: Workbench) -> None:
        data = bench.data
        athena.CfnWorkGroup(
            self,
            "Analysts",
            name=f"stamgast-{bench.environment.name}",
            description="Queries of analysts over the lake",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                bytes_scanned_cutoff_per_query=SCAN_LIMIT_BYTES,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{data.bucket.bucket_name}/athena/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=data.key.key_arn
                    ),
                ),
            ),
        )
