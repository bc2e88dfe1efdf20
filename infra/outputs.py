"""The names under which a deployed stack tells where its parts are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput

from infra.blocks.profile_view import ProfileView
from infra.data_stack import DataStack

if TYPE_CHECKING:
    from infra.platform_stack import PlatformStack


def write_outputs(platform: PlatformStack, *, view: ProfileView, data: DataStack) -> None:
    """Add every output of the platform; the command line reads these and nothing else."""
    rest, http = platform.ingestion.api, platform.lookup.api
    events = platform.ingestion.events
    values = {
        "IngestUrl": rest.front.url,
        "RestApiId": rest.rest.rest_api_id,
        "RestApiStage": rest.rest.deployment_stage.stage_name,
        "ProfileUrl": http.url,
        "HttpApiId": http.http.api_id,
        "HttpApiUrl": http.http.api_endpoint,
        "ProfilesTable": view.table.table_name,
        "ControlTable": data.control.table_name,
        "LakeBucket": data.bucket.bucket_name,
        "AuditBucket": data.audit.bucket_name,
        "LakeDatabase": data.database_name,
        "EventQueueUrl": events.queue.queue_url,
        "DeadLetterQueueUrl": events.dead_letters.queue_url,
        "StateMachineArn": platform.authoritative.machine.state_machine_arn,
        "LinksMachineArn": platform.links.machine.state_machine_arn,
        "ModelsMachineArn": platform.models.machine.state_machine_arn,
        "WorkspaceSecret": data.secret_name,
        "EventBus": view.bus.event_bus_name,
        "RawStream": platform.raw.raw.name,
        "RejectedStream": platform.raw.rejected.name,
    }
    for name, value in values.items():
        CfnOutput(platform, name, value=value)
