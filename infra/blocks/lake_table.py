"""A Glue table over gzipped JSON lines, its partitions projected from date and hour of arrival."""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.data_stack import DataStack
from stamgast_lake.tables import LakeTable, glue_type

JSON_LINES = "org.openx.data.jsonserde.JsonSerDe"
TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
Table = glue.CfnTable


class ArrivalTable(Construct):
    """One of the archive's tables; nobody ever adds a partition by hand."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        data: DataStack,
        table: LakeTable,
        prefix: str,
        bucket: s3.IBucket | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        location = f"s3://{(bucket or data.bucket).bucket_name}/{prefix}/"
        self.resource = Table(
            self,
            "Table",
            catalog_id=data.account,
            database_name=data.database_name,
            table_input=Table.TableInputProperty(
                name=table.name,
                description=table.doc,
                table_type="EXTERNAL_TABLE",
                parameters=_projection(location),
                partition_keys=_columns(table, is_partition=True),
                storage_descriptor=Table.StorageDescriptorProperty(
                    columns=_columns(table, is_partition=False),
                    location=location,
                    input_format=TEXT_IN,
                    output_format=TEXT_OUT,
                    serde_info=Table.SerdeInfoProperty(serialization_library=JSON_LINES),
                ),
            ),
        )


def _columns(table: LakeTable, *, is_partition: bool) -> list[Table.ColumnProperty]:
    return [
        Table.ColumnProperty(name=column.name, type=glue_type(column.type), comment=column.doc)
        for column in table.columns
        if (column.name in table.partition) is is_partition
    ]


def _projection(location: str) -> dict[str, str]:
    return {
        "classification": "json",
        "compressionType": "gzip",
        "projection.enabled": "true",
        "projection.date.type": "date",
        "projection.date.format": "yyyy-MM-dd",
        "projection.date.interval": "1",
        "projection.date.interval.unit": "DAYS",
        "projection.date.range": "2020-01-01,NOW+1DAYS",
        "projection.hour.type": "integer",
        "projection.hour.range": "0,23",
        "projection.hour.digits": "2",
        "storage.location.template": f"{location}date=${{date}}/hour=${{hour}}/",
    }
