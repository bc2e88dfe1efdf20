"""The two stacks of one environment, their names, tags and order."""

from aws_cdk import App, Tags
from aws_cdk import Environment as Target
from constructs import Construct

from infra.data_stack import DataStack
from infra.environments import Environment
from infra.platform_stack import PlatformStack
from infra.sources import Sources


def compose(
    app: App, *, environment: Environment, sources: Sources
) -> tuple[DataStack, PlatformStack]:
    """Add both stacks of an environment to the app and return them."""
    target = Target(account=environment.account, region=environment.region)
    data = DataStack(app, f"Stamgast-{environment.name}-Data", environment=environment, env=target)
    platform = PlatformStack(
        app,
        f"Stamgast-{environment.name}-Platform",
        environment=environment,
        sources=sources,
        data=data,
        env=target,
    )
    platform.add_stack_dependency(data)
    _tag(app, environment)
    return data, platform


def _tag(scope: Construct, environment: Environment) -> None:
    Tags.of(scope).add("application", "stamgast")
    Tags.of(scope).add("environment", environment.name)
