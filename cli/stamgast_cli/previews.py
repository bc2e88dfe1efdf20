"""What the workspace of a folder would make of a deployment's lake, computed on this machine."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from stamgast.identity.explain.masking import masked
from stamgast.identity.settings import IdentitySettings
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_cli.deployment import Deployment
from stamgast_cli.local.loopback import local_environment
from stamgast_cli.workspaces import store
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.preview import Preview, preview

Values: TypeAlias = dict[str, str]
Step: TypeAlias = Callable[[str], AbstractContextManager[None]]


def preview_of(
    deployment: Deployment,
    before: IdentitySettings,
    after: IdentitySettings,
    step: Step,
    most: int,
) -> Preview:
    """What other identity settings would do to the persons of a deployment."""
    return preview(lake_of(deployment), before, after, step, most)


def lake_of(deployment: Deployment) -> Lake:
    """The lake of a deployment, as the stages of a run see it."""
    if deployment.endpoint_url:  # the engine's readers of files take theirs from the environment
        os.environ.update(local_environment(deployment.endpoint_url))
    secrets = SecretsManagerKeyring(
        deployment.client("secretsmanager"), deployment.output("WorkspaceSecret")
    )
    return deployed_lake(
        s3=deployment.client("s3"),
        glue=deployment.client("glue"),
        bucket=deployment.output("LakeBucket"),
        database=deployment.output("LakeDatabase"),
        workspace=store(deployment).current,
        keyring=secrets.get,
    )


def values_of(
    deployment: Deployment, found: Preview, settings: IdentitySettings, *, is_plain: bool
) -> Values:
    """The values behind the keys of the examples, masked unless they are asked for in full."""
    keys = {
        key
        for change in (found.splits, found.merges)
        for example in change.examples
        for _, _, named in example.parts
        for key in named
    }
    items = DynamoIdentityStore(
        deployment.client("dynamodb"),
        deployment.output("ProfilesTable"),
        deployment.output("ControlTable"),
        time.sleep,
    )
    return {
        key: f"{pointer.namespace}:{pointer.value}"
        if is_plain
        else f"{pointer.namespace}:{masked(pointer.namespace, pointer.value, settings)}"
        for key, pointer in items.read_pointers(keys).items()
    }
