"""A function that computes over the lake's tables: the engine's layers, memory and rights."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.blocks.function import Function
from infra.blocks.permissions import use_lake
from infra.blocks.variables import of_workspace
from infra.blocks.workbench import Workbench


def lake_function(
    scope: Construct,
    name: str,
    *,
    bench: Workbench,
    timeout: Duration,
    permissions: Sequence[iam.PolicyStatement] = (),
    variables: Mapping[str, str] | None = None,
) -> Function:
    """Add a stage of the authoritative loop, with whatever it needs beyond the others."""
    data = bench.data
    return Function(
        scope,
        name,
        bench=bench,
        layers=bench.layers.lake,
        variables={
            **of_workspace(data),
            "LAKE_DATABASE": data.database_name,
            **(variables or {}),
        },
        permissions=[*use_lake(data), *permissions],
        memory_mb=bench.environment.lake_memory_mb,
        storage_mb=bench.environment.lake_storage_mb,
        timeout=timeout,
    )
