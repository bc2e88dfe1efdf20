"""List prices of AWS in us-east-1 in US dollars, without free tiers; the one place to change.

Each price says what it was checked against, and when: a page of AWS's own, a page of somebody else
that quotes AWS's list for this region, or nothing. `stamgast cost` shows which is which.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

AS_OF: Final = "2026-11-22"
REGION: Final = "us-east-1"


class Check(StrEnum):
    """How well a price is known."""

    AWS = "a page of AWS's own"
    QUOTED = "a page that quotes AWS's list"
    NONE = "not checked"


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars a unit; `source` is the page it was checked against, with its own date if it has one.

    Without a source the price is what was common knowledge in 2025.
    """

    usd: float
    check: Check = Check.NONE
    source: str = ""


def _aws(usd: float, source: str) -> Price:
    return Price(usd, Check.AWS, source)


def _quoted(usd: float, source: str) -> Price:
    return Price(usd, Check.QUOTED, source)


GATEWAY = "AWS whitepaper on private APIs of API Gateway, section on cost, table 4"
LAMBDA = "Cloudchipr on Lambda's pricing, 2024, for N. Virginia"
DYNAMODB = "Airbyte on DynamoDB's pricing, July 2025, for US East"
CLOUDWATCH = "Factualminds on CloudWatch's pricing, June 2026"

LISTED: Final[Mapping[str, Price]] = {
    # requests
    "REST API request": _aws(3.50e-6, GATEWAY),
    "HTTP API request": _aws(1.00e-6, GATEWAY),
    "CloudFront HTTPS request": Price(1.00e-6),
    "SQS request of 64 KB": Price(0.40e-6),
    "Lambda request": _quoted(0.20e-6, LAMBDA),
    "KMS request": _quoted(3.00e-6, "Factualminds on KMS's pricing, June 2026, for us-east-1"),
    "S3 PUT": Price(5.00e-6),
    "S3 GET": Price(0.40e-6),
    "S3 LIST": Price(5.00e-6),
    "Step Functions transition": _aws(25.0e-6, "AWS Step Functions pricing, table of regions"),
    "EventBridge event": Price(1.00e-6),
    "X-Ray trace": Price(5.00e-6),
    # computing
    "Lambda GB-second, arm64": _quoted(13.3334e-6, LAMBDA),
    # DynamoDB on demand
    "DynamoDB write unit": _quoted(0.625e-6, DYNAMODB),
    "DynamoDB read unit": _quoted(0.125e-6, DYNAMODB),
    "DynamoDB GB-month": Price(0.25),
    # moving and keeping
    "CloudFront GB out": _aws(0.085, "Amazon CloudFront pricing, first 10 TB, United States"),
    "Firehose GB": Price(0.029),
    "S3 GB-month": _quoted(0.023, "Cloudburn on S3's pricing, March 2026, for US East"),
    "Log GB taken in": _quoted(0.50, CLOUDWATCH),
    # by the month, used or not
    "KMS key": _aws(1.00, "AWS KMS pricing, key storage"),
    "Secret": Price(0.40),
    "Alarm": Price(0.10),
    "Dashboard": _quoted(3.00, CLOUDWATCH),
    "Custom metric": _quoted(0.30, "SigNoz on CloudWatch's pricing, February 2026"),
}
PRICES: Final = {name: price.usd for name, price in LISTED.items()}
