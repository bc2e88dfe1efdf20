"""Alarms that publish to one topic, each explained on a page of the docs."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.blocks.acknowledge import acknowledge
from infra.data_stack import DataStack

PAGES = "docs/operations/alarms"


class Alarms(Construct):
    """A topic, and whatever is added with `on`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, data: DataStack, email: str | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", master_key=data.key, enforce_ssl=True)
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
            acknowledge(
                self.topic,
                "Serverless-SNSRedrivePolicy",
                "SNS offers no dead letters for an address of e-mail; alarms keep their own state.",
            )
        self.names: list[str] = []

    def on(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        at_least: float,
        periods: int = 1,
        is_missing_bad: bool = False,
    ) -> cloudwatch.Alarm:
        """Alarm when the metric reaches this value in so many periods on end."""
        return self._add(
            name,
            metric,
            at_least,
            periods,
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            is_missing_bad=is_missing_bad,
        )

    def below(
        self, name: str, metric: cloudwatch.IMetric, *, at_least: float, periods: int
    ) -> cloudwatch.Alarm:
        """Alarm when the metric stays under this value, or silent, for so many periods."""
        return self._add(
            name,
            metric,
            at_least,
            periods,
            cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            is_missing_bad=True,
        )

    def _add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        periods: int,
        comparison: cloudwatch.ComparisonOperator,
        *,
        is_missing_bad: bool,
    ) -> cloudwatch.Alarm:
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in name.split("-")),
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=missing.BREACHING if is_missing_bad else missing.NOT_BREACHING,
            alarm_description=f"{name}: see {PAGES}/{name}.md",
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self.names.append(name)
        return alarm
