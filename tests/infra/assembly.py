"""The cloud assembly of each environment, made once a process by whoever asks for it first."""

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from infra.environments import ENVIRONMENTS, PROD, Domain, Environment

ROOT = Path(__file__).parents[2]
FUNCTIONS = (
    "collect_events",
    "process_events",
    "drain_parked",
    "look_up_profile",
    "explain_identity",
    "change_identity",
    "open_run",
    "import_file",
    "load_events",
    "resolve_identity",
    "unify_profiles",
    "evaluate_segments",
    "compute_segments",
    "serve_segments",
    "publish_profiles",
    "close_run",
    "pair_devices",
    "train_links",
    "link_records",
    "store_links",
    "prepare_models",
    "train_model",
    "register_models",
    "score_profiles",
    "store_scores",
    "carry_out_rights",
)
DOMAIN = Domain(
    zone_id="Z0123456789ABCDEFGHIJ",
    zone_name="example.com",
    ingest_host="events.example.com",
    profile_host="profiles.example.com",
)
OWN_HOST = replace(
    PROD,
    name="hosted",
    domain=DOMAIN,
    web_acl_arn="arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/events/0a1b2c3d",
    alarm_email="alarms@example.com",
)
CHECKED = {**ENVIRONMENTS, OWN_HOST.name: OWN_HOST}


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """Both templates of an environment, where they lie, and what the security rules found."""

    environment: Environment
    folder: Path
    data: dict[str, Any]
    platform: dict[str, Any]
    findings: tuple[str, ...]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the platform's resources of one type by logical id."""
        return {
            name: resource["Properties"]
            for name, resource in self.platform["Resources"].items()
            if resource["Type"] == kind
        }

    def functions(self) -> dict[str, dict[str, Any]]:
        """Return the properties of each function by its name."""
        told = self.of_type("AWS::Lambda::Function").values()
        return {
            properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: properties
            for properties in told
        }


@cache
def assembly(name: str) -> Assembly:
    """Return the assembly of an environment, with handlers that stand in for the real ones."""
    from tests.infra.synthesis import synthesised  # seconds of imports, and a process of Node's

    folder, data, platform = synthesised(CHECKED[name])
    return Assembly(
        environment=CHECKED[name],
        folder=folder,
        data=_template(folder, data),
        platform=_template(folder, platform),
        findings=findings(folder),
    )


def findings(folder: Path) -> tuple[str, ...]:
    """Return rule and construct of everything that the rules found in an assembly."""
    told = json.loads((folder / "validation-report.json").read_text(encoding="utf-8"))
    return tuple(
        f"{violation['ruleName']} at {construct['constructPath']}"
        for plugin in told["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    )


def masked(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template without what changes whenever code does: hashes of assets and versions."""
    text = json.dumps(template)
    text = re.sub(r"[0-9a-f]{64}", "<asset>", text)
    text = re.sub(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}", r"\1<code>", text)
    text = re.sub(r"(RestDeployment[0-9A-F]{8})[0-9a-f]{32}", r"\1<api>", text)
    cleared: dict[str, Any] = json.loads(text)
    return cleared


def statements(assembled: Assembly, function: str) -> list[dict[str, Any]]:
    """Return every policy statement of a function's role."""
    role = assembled.functions()[function]["Role"]["Fn::GetAtt"][0]
    return [
        statement
        for policy in assembled.of_type("AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def listed(value: Any) -> list[Any]:
    """Return what CloudFormation may write as one value or as a list of them, as a list."""
    return value if isinstance(value, list) else [value]


def _template(folder: Path, stack: str) -> dict[str, Any]:
    path = folder / f"{stack}.template.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told
