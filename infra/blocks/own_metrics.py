"""Metrics that our functions emit, under the namespace of their environment."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.environments import Environment
from stamgast.metrics import Metric

FIVE_MINUTES = Duration.minutes(5)


def namespace(environment: Environment) -> str:
    """Return the namespace, apart for each environment that shares an account."""
    return f"Stamgast/{environment.name}"


def own_metric(
    environment: Environment, name: Metric, *, service: str, statistic: str = "Sum"
) -> cloudwatch.Metric:
    """Return one of our metrics, as the function of this name emits it."""
    return cloudwatch.Metric(
        namespace=namespace(environment),
        metric_name=name.value,
        dimensions_map={"service": service},
        statistic=statistic,
        period=FIVE_MINUTES,
    )
