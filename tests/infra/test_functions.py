"""Each function has its settings, its role, its logs and its trace, and nothing else."""

import importlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.infra.assembly import FUNCTIONS, ROOT, assembly, listed, statements

COMMON = {
    "ENVIRONMENT",
    "LOG_LEVEL",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_SERVICE_NAME",
}
THREADS = {"OMP_NUM_THREADS", "OMP_WAIT_POLICY"}
"""Libraries read these themselves, before any setting of ours is."""
LEARNING = ("score_profiles", "train_links", "train_model")
LAKE = {"CONTROL_TABLE", "LAKE_BUCKET", "LAKE_DATABASE", "WORKSPACE_SECRET"}
REASONED_WILDCARDS = (
    ":execution:stamgast-prod-authoritative:*",
    "/athena/*",
    "/disclosures/*",
    "/erasure/*",
    "/errors/*",
    "/errors/disclosures/*",
    "/exports/*",
    "/imports/*",
    "/models/*",
    "/models/artefacts/*",
    "/models/records/*",
    "/raw/*",
    "/rejected/*",
    "/runs/*",
    "/warehouse/*",
    "/workspace/*",
)
TRACING = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}


def test_every_function_of_the_repository_is_deployed() -> None:
    there = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    assert there == set(FUNCTIONS)
    assert set(assembly("prod").functions()) == there


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_exactly_the_variables_of_its_settings(name: str) -> None:
    module = importlib.import_module(f"functions.{name}.handler")
    asked = {field.name.upper() for field in fields(module.Settings)}
    given = set(assembly("prod").functions()[name]["Environment"]["Variables"])
    threads = THREADS if name in LEARNING else set()
    assert given - COMMON == (asked - COMMON) | threads


@pytest.mark.parametrize("name", LEARNING)
def test_a_function_that_learns_has_no_more_threads_than_whole_processors(name: str) -> None:
    function = assembly("prod").functions()[name]
    told = function["Environment"]["Variables"]
    assert int(told["OMP_NUM_THREADS"]) == max(1, function["MemorySize"] // 1_769)
    assert told["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_traced_on_python_3_13_and_arm(name: str) -> None:
    function = assembly("prod").functions()[name]
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["Handler"] == "handler.handler"


def test_no_two_functions_share_a_role() -> None:
    roles = [str(function["Role"]) for function in assembly("prod").functions().values()]
    assert len(set(roles)) == len(roles)


def test_every_log_group_expires() -> None:
    groups = assembly("prod").of_type("AWS::Logs::LogGroup")
    assert len(groups) >= len(FUNCTIONS)
    assert {group["RetentionInDays"] for group in groups.values()} == {90}


@pytest.mark.failure_line(40)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_names_its_actions_and_no_resource_but_reasoned_ones(name: str) -> None:
    """Line 40: no action is a wildcard, and a wildcard resource is a prefix, a table or a trace."""
    for statement in statements(assembly("prod"), name):
        actions = set(listed(statement["Action"]))
        assert not [action for action in actions if "*" in action]
        for resource in listed(statement["Resource"]):
            assert _is_reasoned(resource, actions), (resource, actions)


@pytest.mark.failure_line(40)
def test_only_who_writes_profiles_may() -> None:
    """Line 40: the roles that can write the table `profiles` are those that must."""
    [table] = assembly("prod").of_type("AWS::DynamoDB::Table")
    writers = {name for name in FUNCTIONS if "dynamodb:PutItem" in _actions_on(name, table)}
    live = {"process_events", "drain_parked", "change_identity"}
    assert writers == live | {
        "carry_out_rights",
        "publish_profiles",
        "store_links",
        "store_scores",
    }


@pytest.mark.failure_line(40)
def test_look_up_and_collection_cannot_write_what_they_read() -> None:
    """Line 40: look-ups write what they showed and nothing else; collection counts requests."""
    writing = ("Put", "Delete", "Send", "Update", "Write", "Create")
    told = _verbs("look_up_profile") | _verbs("explain_identity")
    kept = {"firehose:PutRecord", "firehose:PutRecordBatch", "dynamodb:UpdateItem"}
    reading = told - TRACING - kept - {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert not [verb for verb in reading if verb.split(":")[1].startswith(writing)]
    collection = _verbs("collect_events")
    assert "secretsmanager:GetSecretValue" not in collection
    assert "dynamodb:PutItem" not in collection


@pytest.mark.failure_line(40)
@pytest.mark.parametrize("name", ["look_up_profile", "explain_identity", "serve_segments"])
def test_who_only_reads_updates_salts_of_the_audit_log_and_no_other_item(name: str) -> None:
    """Line 40: of `control`, which holds tokens and tombstones, a look-up updates salts alone."""
    updating = [
        statement
        for statement in statements(assembly("prod"), name)
        if "dynamodb:UpdateItem" in listed(statement["Action"])
    ]
    only = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["SALT#*"]}}
    assert [statement["Condition"] for statement in updating] == [only]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_nobody_deletes_a_line_of_the_audit_log_or_shortens_its_lock(environment: str) -> None:
    taking = ("s3:Delete", "s3:Bypass", "s3:PutObjectRetention", "s3:PutBucketObjectLock")
    for policy in assembly(environment).of_type("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if any(action.startswith(taking) for action in listed(statement["Action"])):
                assert "AuditBucket" not in json.dumps(statement["Resource"])


def test_a_lake_function_fits_lambda_with_five_layers() -> None:
    layers = {name: told["Layers"] for name, told in assembly("prod").functions().items()}
    assert max(len(each) for each in layers.values()) == 5
    assert {name for name, each in layers.items() if len(each) == 5} == {
        name for name in FUNCTIONS if set(_variables(name)) >= LAKE and name not in _LIVE
    }


_LIVE = {"process_events", "drain_parked", "look_up_profile", "change_identity"}


def _variables(name: str) -> list[str]:
    return list(assembly("prod").functions()[name]["Environment"]["Variables"])


def _verbs(name: str) -> set[str]:
    return {
        action
        for statement in statements(assembly("prod"), name)
        for action in listed(statement["Action"])
    }


def _actions_on(name: str, logical_id: str) -> set[str]:
    return {
        action
        for statement in statements(assembly("prod"), name)
        if {"Fn::GetAtt": [logical_id, "Arn"]} in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }


def _is_reasoned(resource: Any, actions: set[str]) -> bool:
    if resource == "*":
        return actions == TRACING
    tail = resource["Fn::Join"][1][-1] if "Fn::Join" in resource else ""
    if not isinstance(tail, str) or "*" not in tail:
        return True
    is_table = tail.endswith("table/stamgast_prod/*") and all(
        action.startswith("glue:") for action in actions
    )
    return tail in REASONED_WILDCARDS or is_table


def test_the_handlers_folders_hold_no_package() -> None:
    assert not list(Path(ROOT / "functions").rglob("__init__.py"))
