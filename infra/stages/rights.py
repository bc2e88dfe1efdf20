"""Rights: what persons ask for is taken over the look-up's API, carried out, and proven."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.dead_letters import DeadLetters
from infra.blocks.lake_function import lake_function
from infra.blocks.lookup_api import LookupApi, Method
from infra.blocks.profile_view import ProfileView
from infra.blocks.schedule import Every
from infra.blocks.workbench import Workbench
from infra.environments import Environment
from infra.stages.ingestion import Ingestion
from infra.stages.raw import Raw

PREFIXES = (
    "athena/",
    "erasure/",
    "errors/",
    "exports/",
    "imports/",
    "models/",
    "raw/",
    "rejected/",
    "runs/",
    "warehouse/",
    "workspace/",
)


class Rights(Construct):
    """One function: it answers operators, works behind them, and reads every byte once a day."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bench: Workbench,
        view: ProfileView,
        ingestion: Ingestion,
        raw: Raw,
    ) -> None:
        super().__init__(scope, construct_id)
        self.signing_key = self._signing_key(bench)
        self.carry_out_rights = lake_function(
            self,
            "carry_out_rights",
            bench=bench,
            timeout=Duration.minutes(15),
            variables={
                "AUDIT_BUCKET": bench.data.audit.bucket_name,
                "CALLBACKS_MAY_BE_LOCAL": _word(bench.environment),
                "DEAD_LETTER_QUEUE": ingestion.events.dead_letters.queue_url,
                "DISCLOSURES_STREAM": raw.disclosures.name,
                "PROFILES_TABLE": view.table.table_name,
                "SETTLE_SECONDS": str(bench.environment.settle_seconds),
                "SIGNING_KEY": self.signing_key.key_id if self.signing_key else "none",
                "WORKER_FUNCTION": _worker(bench),
            },
            permissions=self._permissions(bench, view, ingestion, raw),
        )
        # A pass that runs out of time calls the function to go on; Lambda stops that after sixteen.
        resource = self.carry_out_rights.resource.node.default_child
        cast("lambda_.CfnFunction", resource).recursive_loop = "Allow"
        if bench.environment.proof_every_minutes:
            Every(
                self,
                "ProofEvery",
                minutes=bench.environment.proof_every_minutes,
                function=self.carry_out_rights.live,
                dead_letters=DeadLetters(self, "RightsDeadLetters").queue,
            )

    def serve(self, api: LookupApi) -> None:
        """Let privacy officers ask over the look-up's API."""
        function = self.carry_out_rights.live
        verbs = ("plan", "prove", "reapply", "settle")
        made = (*(f"/v1/rights:{verb}" for verb in verbs), "/v3/requests")
        api.serve("RightsPlan", function, *made)
        asked = ("/v3/discovery", "/v3/requests", "/v3/requests/{request}")
        api.serve("RightsAsked", function, *asked, method=Method.GET)
        api.serve("RightsCancel", function, "/v3/requests/{request}", method=Method.DELETE)

    def _permissions(
        self, bench: Workbench, view: ProfileView, ingestion: Ingestion, raw: Raw
    ) -> list[iam.PolicyStatement]:
        data = bench.data
        told = [
            permissions.write_many_items(view.table),
            permissions.scan_items(view.table),
            permissions.scan_items(data.control),
            permissions.read_objects(data, *PREFIXES),
            permissions.write_objects(data, *PREFIXES[:-1]),
            permissions.delete_objects(data, *PREFIXES[:-1]),
            permissions.use_versions(data, *PREFIXES),
            permissions.list_versions(data),
            *permissions.search_audit(data),
            permissions.put_records(raw.disclosures.arn),
            permissions.filter_messages(ingestion.events.dead_letters),
            permissions.invoke(data, _worker(bench)),
        ]
        return told + ([permissions.sign(self.signing_key)] if self.signing_key else [])

    def _signing_key(self, bench: Workbench) -> kms.Key | None:
        """Return the key of certificates, where the environment pays for one."""
        if not bench.environment.has_signing_key:
            return None
        return kms.Key(
            self,
            "SigningKey",
            description="Signs certificates of erasures, and answers to requests of persons",
            key_spec=kms.KeySpec.RSA_2048,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=(
                RemovalPolicy.RETAIN if bench.environment.is_kept else RemovalPolicy.DESTROY
            ),
        )


def _word(environment: Environment) -> str:
    """Return whether call-backs may go to this very machine; a variable must not be empty."""
    return "yes" if environment.may_call_this_machine else "no"


def _worker(bench: Workbench) -> str:
    """Return the name, with its alias where there is one, of the function, which calls itself."""
    name = f"stamgast-{bench.environment.name}-carry-out-rights"
    return f"{name}:live" if bench.environment.is_aliased else name
