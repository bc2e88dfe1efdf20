"""A month's budget for everything that carries the environment's tag."""

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from infra.environments import Environment

Property = budgets.CfnBudget


class Budget(Construct):
    """Tells the environment's address at four fifths of the sum, and when the sum is forecast."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        Property(
            self,
            "Month",
            budget=Property.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=Property.SpendProperty(
                    amount=environment.monthly_budget_usd or 0, unit="USD"
                ),
                cost_filters={"TagKeyValue": [f"user:environment${environment.name}"]},
            ),
            notifications_with_subscribers=_notifications(environment.alarm_email),
        )


def _notifications(email: str | None) -> list[Property.NotificationWithSubscribersProperty] | None:
    if email is None:
        return None
    subscriber = Property.SubscriberProperty(address=email, subscription_type="EMAIL")
    return [
        Property.NotificationWithSubscribersProperty(
            notification=Property.NotificationProperty(
                comparison_operator="GREATER_THAN", notification_type=kind, threshold=threshold
            ),
            subscribers=[subscriber],
        )
        for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
    ]
