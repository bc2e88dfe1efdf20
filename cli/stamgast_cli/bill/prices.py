"""List prices of AWS in us-east-1 in US dollars, without free tiers; the one place to change."""

from typing import Final

AS_OF: Final = "2025"
REGION: Final = "us-east-1"

PRICES: Final = {
    # requests
    "REST API request": 3.50e-6,
    "HTTP API request": 1.00e-6,
    "CloudFront HTTPS request": 1.00e-6,
    "SQS request of 64 KB": 0.40e-6,
    "Lambda request": 0.20e-6,
    "KMS request": 3.00e-6,
    "S3 PUT": 5.00e-6,
    "S3 GET": 0.40e-6,
    "S3 LIST": 5.00e-6,
    "Step Functions transition": 25.0e-6,
    "EventBridge event": 1.00e-6,
    "X-Ray trace": 5.00e-6,
    # computing
    "Lambda GB-second, arm64": 13.3334e-6,
    # DynamoDB on demand
    "DynamoDB write unit": 0.625e-6,
    "DynamoDB read unit": 0.125e-6,
    "DynamoDB GB-month": 0.25,
    # moving and keeping
    "CloudFront GB out": 0.085,
    "Firehose GB": 0.029,
    "S3 GB-month": 0.023,
    "Log GB taken in": 0.50,
    # by the month, used or not
    "KMS key": 1.00,
    "Secret": 0.40,
    "Alarm": 0.10,
    "Dashboard": 3.00,
    "Custom metric": 0.30,
}
