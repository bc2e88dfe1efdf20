"""The Glue tables of the archive have the columns that the lake declares."""

import pytest

from stamgast_lake.tables import RAW_EVENTS, REJECTED_EVENTS, LakeTable
from tests.infra.assembly import assembly


@pytest.mark.parametrize("table", [RAW_EVENTS, REJECTED_EVENTS], ids=lambda table: table.name)
def test_a_table_is_what_the_lake_declares(table: LakeTable) -> None:
    tables = assembly("prod").of_type("AWS::Glue::Table").values()
    [told] = [each["TableInput"] for each in tables if each["TableInput"]["Name"] == table.name]
    columns = [column["Name"] for column in told["StorageDescriptor"]["Columns"]]
    keys = [column["Name"] for column in told["PartitionKeys"]]
    assert keys == ["date", "hour"]
    assert columns == [column.name for column in table.columns if column.name not in keys]
    assert told["Parameters"]["projection.enabled"] == "true"
