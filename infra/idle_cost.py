"""What a deployment costs in a month in which nothing happens, resource by resource."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FIXED_USD = {
    "AWS::KMS::Key": (1.00, "a key; each of its first two yearly rotations adds 1.00"),
    "AWS::SecretsManager::Secret": (0.40, "the workspace's secret"),
    "AWS::CloudWatch::Alarm": (0.10, "an alarm (an account's first ten are free)"),
    "AWS::CloudWatch::Dashboard": (0.00, "an account's first three are free; 3.00 from then on"),
}
"""List price a month of each type with a charge that does not follow use (eu-west-1)."""

HABITS_USD = (
    ("Lambda's pollers ask the empty event queue 648,000 times", 0.26),
    ("Each hour a run opens, finds nothing new and ends: 4 transitions, 3 s, 26 listings", 0.25),
    ("Each day the first run goes through all stages, and provisional links are settled", 0.04),
    ("Every five minutes parked changes are looked for: 8,640 short calls", 0.03),
    ("Requests to the key by those calls", 0.05),
    ("Point-in-time recovery and storage of a small control table and an empty lake", 0.01),
)
"""What idling itself uses, before any free tier."""

ON_DEMAND = frozenset(
    {
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::BasePathMapping",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::ApiMapping",
        "AWS::ApiGatewayV2::DomainName",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::Athena::WorkGroup",
        "AWS::Budgets::Budget",
        "AWS::CertificateManager::Certificate",
        "AWS::CloudFront::Distribution",
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::DynamoDB::Table",
        "AWS::Events::EventBus",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KinesisFirehose::DeliveryStream",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
        "AWS::Logs::LogStream",
        "AWS::Route53::RecordSet",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
        "AWS::StepFunctions::StateMachine",
        "AWS::WAFv2::WebACLAssociation",
    }
)
"""Types that are paid by use alone; a type in neither list is a decision still to be made."""


class UnpricedResourceError(LookupError):
    """A template has a resource of which nobody has said what it costs."""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """So many resources of one type at this price each."""

    kind: str
    count: int
    each_usd: float
    note: str

    @property
    def usd(self) -> float:
        """Return what they cost together in a month."""
        return round(self.count * self.each_usd, 2)


def fixed_charges(templates: Iterable[Mapping[str, Any]]) -> list[Charge]:
    """Return the fixed charges of these templates by type."""
    kinds = Counter(
        resource["Type"] for template in templates for resource in template["Resources"].values()
    )
    unknown = set(kinds) - set(FIXED_USD) - ON_DEMAND
    if unknown:
        raise UnpricedResourceError(f"what do these cost when idle: {', '.join(sorted(unknown))}?")
    return [
        Charge(kind=kind, count=kinds[kind], each_usd=each, note=note)
        for kind, (each, note) in FIXED_USD.items()
        if kinds[kind]
    ]


def idle_usd(charges: Iterable[Charge]) -> float:
    """Return the sum of a month: what is fixed, and what idling uses."""
    return round(sum(charge.usd for charge in charges) + sum(usd for _, usd in HABITS_USD), 2)


def table(charges: Iterable[Charge]) -> str:
    """Return the list as the table of the docs."""
    told = list(charges)
    rows = [f"| {each.count} × `{each.kind}` | {each.note} | {each.usd:.2f} |" for each in told] + [
        f"| use | {what} | {usd:.2f} |" for what, usd in HABITS_USD
    ]
    head = ["| what | why | USD a month |", "|---|---|---:|"]
    return "\n".join([*head, *rows, f"| **sum** | | **{idle_usd(told):.2f}** |"])
