"""What can be rebuilt: every stage in data order, and the watch over them."""

from typing import Any

from aws_cdk import Stack
from constructs import Construct

from infra.blocks.layers import Layers
from infra.blocks.lookup_api import Method
from infra.blocks.profile_view import ProfileView
from infra.blocks.workbench import Workbench
from infra.data_stack import DataStack
from infra.environments import Environment
from infra.outputs import write_outputs
from infra.sources import Sources
from infra.stages.authoritative import Authoritative
from infra.stages.identity import Identity
from infra.stages.ingestion import Ingestion
from infra.stages.links import Links
from infra.stages.lookup import Lookup
from infra.stages.models import Models
from infra.stages.profile import Profile
from infra.stages.raw import Raw
from infra.stages.rights import Rights
from infra.stages.segments import Segments
from infra.watch import Watch


class PlatformStack(Stack):
    """The way of an event, from the API to the look-up."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        sources: Sources,
        data: DataStack,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, description="Stamgast: what can be rebuilt", **stack)
        layers = Layers(self, "Layers", environment=environment, sources=sources)
        bench = Workbench(environment=environment, sources=sources, layers=layers, data=data)
        view = ProfileView(self, "View", data=data)
        self.ingestion = Ingestion(self, "Ingestion", bench=bench)
        self.raw = Raw(self, "Raw", bench=bench)
        self.identity = Identity(self, "Identity", bench=bench, view=view, raw=self.raw)
        self.profile = Profile(
            self, "Profile", bench=bench, view=view, ingestion=self.ingestion, raw=self.raw
        )
        self.segments = Segments(self, "Segments", bench=bench, view=view, raw=self.raw)
        self.lookup = Lookup(self, "Lookup", bench=bench, view=view, raw=self.raw)
        self._serve_changes()
        self.authoritative = Authoritative(
            self,
            "Authoritative",
            bench=bench,
            view=view,
            raw=self.raw,
            identity=self.identity,
            profile=self.profile,
            segments=self.segments,
        )
        self.links = Links(self, "Links", bench=bench, view=view)
        self.models = Models(self, "Models", bench=bench, view=view)
        self.rights = Rights(
            self, "Rights", bench=bench, view=view, ingestion=self.ingestion, raw=self.raw
        )
        self.rights.serve(self.lookup.api)
        self.watch = Watch(self, "Watch", platform=self, environment=environment, data=data)
        write_outputs(self, view=view, data=data)

    def _serve_changes(self) -> None:
        """Let operators change persons, and ask about segments, over the look-up's API."""
        api, function = self.lookup.api, self.identity.change_identity.live
        api.serve("Change", function, "/v1/identity:cut", "/v1/identity:lift")
        jobs = ("/v1/identity/jobs", "/v1/identity/jobs/{job}")
        api.serve("ChangeJobs", function, *jobs, method=Method.GET)
        self.segments.serve(api)
