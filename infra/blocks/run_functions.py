"""Functions of a run that recur: one that learns of documents alone, one that stores under the
lease and tells the live view."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.profile_view import ProfileView
from infra.blocks.workbench import Workbench

TIMEOUT = Duration.minutes(15)
VCPU_MB = 1_769
"""AWS: a function of so much memory has one processor's time, and of less or more its share."""


def learning_function(scope: Construct, name: str, bench: Workbench, *readable: str) -> Function:
    """Return a function that works on documents of the run, and may read what else is named."""
    data, memory_mb = bench.data, bench.environment.lake_memory_mb
    return Function(
        scope,
        name,
        bench=bench,
        layers=bench.layers.learn,
        variables={"LAKE_BUCKET": data.bucket.bucket_name, **_threads(memory_mb)},
        permissions=[
            permissions.use_key(data),
            permissions.read_objects(data, "runs/", *readable),
            permissions.write_objects(data, "runs/"),
        ],
        memory_mb=memory_mb,
        storage_mb=bench.environment.lake_storage_mb,
        timeout=TIMEOUT,
    )


def _threads(memory_mb: int) -> dict[str, str]:
    """Return as many threads as whole processors: OpenMP sees two where there is time for one and
    a half, and threads that wait for a part of one spin."""
    many = max(1, memory_mb // VCPU_MB)
    return {"OMP_NUM_THREADS": str(many), "OMP_WAIT_POLICY": "PASSIVE"}


def storing_function(
    scope: Construct,
    name: str,
    bench: Workbench,
    view: ProfileView,
    describe_executions: iam.PolicyStatement,
) -> Function:
    """Return a function that commits under the run's lease and writes items of the live view."""
    return lake_function(
        scope,
        name,
        bench=bench,
        timeout=TIMEOUT,
        permissions=[permissions.write_items(view.table), describe_executions],
        variables={"PROFILES_TABLE": view.table.table_name},
    )
