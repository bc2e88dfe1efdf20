"""One deployed stack, on this machine or in AWS, as the verbs see it: its outputs and clients."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from stamgast_cli.errors import NotRunningError
from stamgast_cli.local import emulator as local_emulator
from stamgast_cli.local.loopback import REGION, require_loopback
from stamgast_cli.local.places import Places, default_places

LOCAL_STACK = "Stamgast-local-Platform"


@dataclass(frozen=True)
class Deployment:
    """Where the parts of a stack are; `outputs` are those of its template."""

    stack: str
    outputs: Mapping[str, str]
    endpoint_url: str | None = None
    ingest_override: str | None = None
    profile_override: str | None = None
    write_key: str | None = field(default=None, repr=False)
    reader_token: str | None = field(default=None, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether this is the emulator on this machine."""
        return self.endpoint_url is not None

    @property
    def ingest_url(self) -> str:
        """The root under which events are taken."""
        return (self.ingest_override or self.outputs["IngestUrl"]).rstrip("/")

    @property
    def profile_url(self) -> str:
        """The root under which profiles are asked for."""
        return (self.profile_override or self.outputs["ProfileUrl"]).rstrip("/")

    @property
    def environment(self) -> str:
        """The environment's name, as in `infra/environments.py`."""
        return self.stack.removeprefix("Stamgast-").removesuffix("-Platform")

    def output(self, name: str) -> str:
        """Return an output, or say that the stack is of another version."""
        try:
            return self.outputs[name]
        except KeyError as error:
            raise NotRunningError(
                f"the stack {self.stack} has no output {name}",
                hint="Deploy this version of the stack first.",
            ) from error

    def client(self, service: str) -> Any:
        """Return a client of one AWS service."""
        return self._session.client(
            service,
            endpoint_url=self.endpoint_url,
            config=Config(retries={"mode": "standard", "total_max_attempts": 5}),
        )

    @cached_property
    def _session(self) -> Any:
        return session(self.endpoint_url)


def session(endpoint_url: str | None) -> Any:
    """Return a boto3 session: the user's, or the emulator's where it is local."""
    if endpoint_url is None:
        # boto3 reads AWS_DEFAULT_REGION alone; most tools of AWS take AWS_REGION as well.
        return boto3.Session(region_name=os.environ.get("AWS_REGION"))
    require_loopback(endpoint_url)
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  what the emulator takes from everybody
        region_name=REGION,
    )


def find(stack: str | None, places: Places | None = None) -> Deployment:
    """Return the local deployment, or the one in AWS that this name means."""
    if stack in (None, "local"):
        return _local(places or default_places())
    return _in_aws(str(stack))


def read_outputs(stack: str, endpoint_url: str | None) -> dict[str, str]:
    """Return the outputs of a stack."""
    try:
        client = session(endpoint_url).client("cloudformation", endpoint_url=endpoint_url)
        found = client.describe_stacks(StackName=stack)["Stacks"]
    except NoRegionError as error:
        raise NotRunningError(
            f"the stack {stack} was not looked for: no AWS region is set",
            hint="Say it as in `AWS_REGION=eu-central-1 stamgast status --stack prod`, "
            "or name a profile of your AWS configuration with AWS_PROFILE.",
        ) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise NotRunningError(
            f"the stack {stack} was not looked for: there are no AWS credentials",
            hint="Sign in (`aws sso login`) or name a profile with AWS_PROFILE; "
            "without --stack the verbs are about this machine.",
        ) from error
    except (ClientError, BotoCoreError) as error:
        raise NotRunningError(
            f"the stack {stack} was not found: {error}",
            hint="Check --stack, and the account and region of your AWS credentials.",
        ) from error
    return {told["OutputKey"]: told["OutputValue"] for told in found[0].get("Outputs", [])}


def _local(places: Places) -> Deployment:
    emulator = local_emulator.running(places)
    if emulator is None or not places.connection.exists():
        raise NotRunningError(
            "nothing runs on this machine", hint="Start it with `stamgast up`, or name a --stack."
        )
    told = json.loads(places.connection.read_text(encoding="utf-8"))
    return Deployment(
        stack=LOCAL_STACK,
        outputs=told["outputs"],
        endpoint_url=emulator.endpoint_url,
        ingest_override=told["ingest_url"],
        profile_override=told["profile_url"],
        write_key=told["server_write_key"],
        reader_token=told["reader_token"],
    )


def _in_aws(name: str) -> Deployment:
    stack = name if name.startswith("Stamgast-") else f"Stamgast-{name}-Platform"
    return Deployment(stack=stack, outputs=read_outputs(stack, None))
