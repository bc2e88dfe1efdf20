"""Look-up: the API that answers with a profile, and the function behind it."""

from aws_cdk import Duration
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.function import Function
from infra.blocks.lookup_api import GATEWAY_TIMEOUT, LookupApi
from infra.blocks.profile_view import ProfileView
from infra.blocks.variables import of_view
from infra.blocks.workbench import Workbench
from infra.stages.raw import Raw

EXPLAINING_MB = 3008


class Lookup(Construct):
    """Answer in milliseconds, filtered by the reader's scope."""

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
        data = bench.data
        self.look_up_profile = Function(
            self,
            "look_up_profile",
            bench=bench,
            layers=bench.layers.api,
            variables={
                **of_view(data, view),
                "DISCLOSURES_STREAM": raw.disclosures.name,
            },
            permissions=[
                *permissions.read_workspace(data),
                permissions.read_items(view.table),
                permissions.read_items(data.control),
                *permissions.keep_audit(data, raw.disclosures.arn),
            ],
            memory_mb=1024,
            timeout=Duration.seconds(10),
            is_serving=True,
        )
        self.api = LookupApi(
            self, "Api", environment=bench.environment, function=self.look_up_profile.live
        )
        self.explain_identity = self._explain_identity(bench, view, raw)
        self.api.serve(
            "Explain", self.explain_identity.live, "/v1/identity:explain", "/v1/identity:health"
        )

    def _explain_identity(self, bench: Workbench, view: ProfileView, raw: Raw) -> Function:
        data = bench.data
        return Function(
            self,
            "explain_identity",
            bench=bench,
            layers=bench.layers.lake,
            variables={
                **of_view(data, view),
                "DISCLOSURES_STREAM": raw.disclosures.name,
                "LAKE_DATABASE": data.database_name,
            },
            permissions=[
                *permissions.read_lake(data),
                permissions.read_items(view.table),
                permissions.read_items(data.control),
                *permissions.keep_audit(data, raw.disclosures.arn),
            ],
            memory_mb=EXPLAINING_MB,
            timeout=GATEWAY_TIMEOUT,
        )
