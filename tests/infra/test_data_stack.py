"""What must survive does, and keeps the names by which CloudFormation knows it."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.environments import PROD, AuditLock
from stamgast.erasure.stores import STORES
from tests.infra.assembly import assembly

PINNED = {
    "AuditBucket": "AWS::S3::Bucket",
    "AuditBucketPolicy": "AWS::S3::BucketPolicy",
    "ControlTable": "AWS::DynamoDB::Table",
    "LakeBucket": "AWS::S3::Bucket",
    "LakeBucketPolicy": "AWS::S3::BucketPolicy",
    "LakeDatabase": "AWS::Glue::Database",
    "WorkspaceKey": "AWS::KMS::Key",
    "WorkspaceKeyAlias": "AWS::KMS::Alias",
    "WorkspaceSecret": "AWS::SecretsManager::Secret",
}
KEPT = {name for name in PINNED if not name.endswith(("Policy", "Alias"))}


@pytest.mark.parametrize("name", ["local", "dev", "prod"])
def test_logical_ids_are_pinned(name: str) -> None:
    resources = assembly(name).data["Resources"]
    assert {logical: told["Type"] for logical, told in resources.items()} == PINNED


def test_in_production_everything_outlives_its_stack() -> None:
    resources = assembly("prod").data["Resources"]
    kept = {name for name, told in resources.items() if told.get("DeletionPolicy") == "Retain"}
    assert kept >= KEPT
    replaced = {
        name for name, told in resources.items() if told.get("UpdateReplacePolicy") == "Retain"
    }
    assert replaced >= KEPT


def test_the_control_table_cannot_be_deleted_and_can_be_restored_to_any_second() -> None:
    table = assembly("prod").data["Resources"]["ControlTable"]["Properties"]
    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_a_deleted_item_of_control_is_gone_from_its_backup_in_days() -> None:
    table = assembly("prod").data["Resources"]["ControlTable"]["Properties"]
    told = table["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"]
    [store] = [one for one in STORES if one.name == "control-recovery"]
    assert told == store.days == 7


@pytest.mark.parametrize(("name", "days"), [("local", 1), ("dev", 1), ("prod", 365)])
def test_the_audit_log_is_locked_for_as_long_as_it_is_kept(name: str, days: int) -> None:
    bucket = assembly(name).data["Resources"]["AuditBucket"]["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    lock = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert lock == {"Mode": "GOVERNANCE", "Days": days}
    [rule] = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == days


def test_a_strict_environment_lets_not_even_the_root_delete_a_line(tmp_path: Path) -> None:
    from aws_cdk import App
    from aws_cdk.assertions import Template

    from infra.data_stack import DataStack

    strict = replace(PROD, audit_lock=AuditLock.COMPLIANCE)
    stack = DataStack(App(outdir=str(tmp_path)), "Data", environment=strict)
    [lock] = (
        Template.from_stack(stack)
        .find_resources("AWS::S3::Bucket", {"Properties": {"ObjectLockEnabled": True}})
        .values()
    )
    told = lock["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert told["Mode"] == "COMPLIANCE"


def test_the_lake_is_private_versioned_encrypted_and_closed_to_plain_http() -> None:
    resources = assembly("prod").data["Resources"]
    bucket = resources["LakeBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    denied = resources["LakeBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [told["Condition"] for told in denied]


def test_the_quarantine_expires_after_thirty_days_and_raw_never_does() -> None:
    bucket = assembly("prod").data["Resources"]["LakeBucket"]["Properties"]
    expiring = {
        rule.get("Prefix"): rule["ExpirationInDays"]
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }
    assert expiring == {"rejected/": 30, "exports/": 1, "athena/": 7, "runs/": 90}


def test_the_profiles_table_is_no_part_of_what_must_survive() -> None:
    tables = assembly("prod").of_type("AWS::DynamoDB::Table").values()
    [profiles] = tables
    assert profiles["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert profiles["BillingMode"] == "PAY_PER_REQUEST"
    assert "GlobalSecondaryIndexes" not in profiles
