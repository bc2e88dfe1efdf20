"""What differs between environments is written in one file, and refused where it is unknown."""

import json
from pathlib import Path

import pytest

from infra.environments import LOCAL, Release, UnknownEnvironmentError, environment_named
from tests.infra.assembly import ROOT, assembly

REFUSED_BY_THE_EMULATOR = {
    "AWS::Budgets::Budget",
    "AWS::CloudFront::Distribution",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::WAFv2::WebACLAssociation",
}


def test_an_unknown_environment_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownEnvironmentError, match="local, dev, prod"):
        environment_named("staging")


def test_the_laptop_deploys_nothing_that_the_emulator_refuses() -> None:
    kinds = {told["Type"] for told in assembly("local").platform["Resources"].values()}
    assert not kinds & REFUSED_BY_THE_EMULATOR
    assert LOCAL.release is Release.DIRECT


def test_no_file_but_that_one_asks_for_an_environment_by_name() -> None:
    names = {f'"{name}"' for name in ("local", "dev", "prod")}
    for path in Path(ROOT / "infra").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "environments.py":
            assert not [name for name in names if name in text], path


def test_every_environment_tells_the_same_outputs() -> None:
    outputs = [set(assembly(name).platform["Outputs"]) for name in ("local", "dev", "prod")]
    assert outputs[0] == outputs[1] == outputs[2]
    assert outputs[0] >= {"IngestUrl", "ProfileUrl", "RestApiId", "StateMachineArn", "LakeBucket"}


def test_production_releases_serving_functions_by_canary_with_a_way_back() -> None:
    groups = assembly("prod").of_type("AWS::CodeDeploy::DeploymentGroup").values()
    assert len(groups) == 3
    for group in groups:
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert group["AlarmConfiguration"]["Enabled"] is True


def test_a_host_of_ones_own_replaces_the_distribution() -> None:
    hosted = assembly("hosted")
    assert not hosted.of_type("AWS::CloudFront::Distribution")
    names = {
        told["DomainName"]
        for told in hosted.of_type("AWS::CertificateManager::Certificate").values()
    }
    assert names == {"events.example.com", "profiles.example.com"}
    assert hosted.platform["Outputs"]["IngestUrl"]["Value"] == "https://events.example.com"


def test_every_resource_that_takes_tags_names_its_environment() -> None:
    for function in assembly("prod").functions().values():
        assert {"Key": "environment", "Value": "prod"} in function["Tags"]


def test_the_gateways_own_errors_have_our_shape_and_tell_when_to_come_back() -> None:
    answers = assembly("prod").of_type("AWS::ApiGateway::GatewayResponse").values()
    by_type = {answer["ResponseType"]: answer for answer in answers}
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "INTEGRATION_TIMEOUT"} <= set(by_type)
    for answer in by_type.values():
        body = answer["ResponseTemplates"]["application/json"]
        rendered = body.replace("$context.error.messageString", '"told"')
        assert set(json.loads(rendered)) == {"code", "message"}
        headers = answer["ResponseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"]
    assert "gatewayresponse.header.Retry-After" in by_type["THROTTLED"]["ResponseParameters"]


def test_access_logs_name_no_person() -> None:
    [stage] = assembly("prod").of_type("AWS::ApiGateway::Stage").values()
    [default] = assembly("prod").of_type("AWS::ApiGatewayV2::Stage").values()
    for settings in (stage["AccessLogSetting"], default["AccessLogSettings"]):
        assert set(json.loads(settings["Format"])) == {
            "requestId",
            "method",
            "route",
            "status",
            "latency",
            "bytes",
        }
        assert "path" not in settings["Format"].lower().replace("resourcepath", "")
        assert "ip" not in settings["Format"].lower()


def test_the_archive_is_gzipped_and_laid_by_hour_of_arrival() -> None:
    for stream in assembly("prod").of_type("AWS::KinesisFirehose::DeliveryStream").values():
        destination = stream["ExtendedS3DestinationConfiguration"]
        assert destination["CompressionFormat"] == "GZIP"
        assert destination["Prefix"].endswith("date=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/")
        assert destination["ErrorOutputPrefix"].startswith("errors/")
