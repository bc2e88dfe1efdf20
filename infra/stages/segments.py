"""Segments: every rule over the whole lake, and the answers to operators' questions about them."""

from aws_cdk import Duration
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.lookup_api import GATEWAY_TIMEOUT, LookupApi, Method
from infra.blocks.profile_view import ProfileView
from infra.blocks.variables import of_view
from infra.blocks.workbench import Workbench
from infra.stages.raw import Raw

EXPORTS = "exports/"
SERVING_MB = 3008


class Segments(Construct):
    """Who belongs where, since when, and why."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bench: Workbench,
        view: ProfileView,
        raw: Raw,
    ) -> None:
        super().__init__(scope, construct_id)
        self.evaluate_segments = lake_function(
            self, "evaluate_segments", bench=bench, timeout=Duration.minutes(15)
        )
        self.compute_segments = self._compute_segments(bench, view)
        self.serve_segments = self._serve_segments(bench, view, raw)

    def serve(self, api: LookupApi) -> None:
        """Let operators ask over the look-up's API."""
        asked = ("explain", "preview", "export")
        paths = [f"/v1/segments:{word}" for word in asked]
        api.serve("Segments", self.serve_segments.live, *paths)
        job = "/v1/segments/jobs/{job}"
        api.serve("SegmentJobs", self.serve_segments.live, job, method=Method.GET)

    def _compute_segments(self, bench: Workbench, view: ProfileView) -> Function:
        """It begins its own next invocation, and so is named to itself."""
        worker = _worker(bench)
        return lake_function(
            self,
            "compute_segments",
            bench=bench,
            timeout=Duration.minutes(15),
            variables={"PROFILES_TABLE": view.table.table_name, "WORKER_FUNCTION": worker},
            permissions=[
                permissions.read_items(view.table),
                permissions.read_objects(bench.data, EXPORTS),
                permissions.write_objects(bench.data, EXPORTS),
                permissions.invoke(bench.data, worker),
            ],
        )

    def _serve_segments(self, bench: Workbench, view: ProfileView, raw: Raw) -> Function:
        data = bench.data
        return Function(
            self,
            "serve_segments",
            bench=bench,
            layers=bench.layers.lake,
            variables={
                **of_view(data, view),
                "LAKE_DATABASE": data.database_name,
                "DISCLOSURES_STREAM": raw.disclosures.name,
                "WORKER_FUNCTION": _worker(bench),
            },
            permissions=[
                *permissions.read_lake(data),
                permissions.read_items(view.table),
                permissions.put_new_items(data.control),
                permissions.read_objects(data, EXPORTS),
                permissions.invoke(data, _worker(bench)),
                *permissions.keep_audit(data, raw.disclosures.arn),
            ],
            memory_mb=SERVING_MB,
            timeout=GATEWAY_TIMEOUT,
        )


def _worker(bench: Workbench) -> str:
    """Return the name, with its alias where there is one, of the function that works off jobs."""
    name = f"stamgast-{bench.environment.name}-compute-segments"
    return f"{name}:live" if bench.environment.is_aliased else name
