"""The AwsSolutions and Serverless rule packs, with exceptions only where a resource says why."""

from pathlib import Path

import pytest

from tests.infra.assembly import CHECKED, assembly, findings


@pytest.mark.parametrize("name", sorted(CHECKED))
def test_no_resource_breaks_a_security_rule_without_a_reason(name: str) -> None:
    assert assembly(name).findings == ()


def test_a_bare_queue_breaks_rules_of_both_packs(tmp_path: Path) -> None:
    from aws_cdk import App, Stack
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs

    from tests.infra.synthesis import check

    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Bare")
    sqs.Queue(stack, "Queue")
    sns.Topic(stack, "Topic")
    check(app)
    broken = {finding.split(" ")[0] for finding in findings(tmp_path)}
    assert {"AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy"} <= broken
