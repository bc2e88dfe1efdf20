"""Compose the two stacks of the environment named by the context value `environment`."""

from pathlib import Path

from aws_cdk import App

from infra.application import compose
from infra.environments import environment_named
from infra.sources import Sources


def main() -> None:
    """Write the cloud assembly of one environment."""
    app = App()
    environment = environment_named(str(app.node.try_get_context("environment")))
    compose(app, environment=environment, sources=Sources(root=Path(__file__).parent))
    app.synth()


main()
