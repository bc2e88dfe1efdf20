"""The Lambda layers: our own, compiled, and the third-party ones as `make layers` built them."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.blocks.compiled import compiled_code
from infra.environments import Environment
from infra.sources import Sources

LEFT_OUT = ["**/__pycache__", "**/*.pyc", "**/*.egg-info", "build.py"]


class Layers(Construct):
    """What functions are handed: `api` for most, `lake` to commit tables, `learn` to train."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, sources: Sources
    ) -> None:
        super().__init__(scope, construct_id)
        # Locally code changes all the time, and a worker's disk can be written.
        self._is_compiled = environment.has_wheel_layers
        domain = self._own("Domain", sources.layer("domain"), "Rules without AWS")
        aws = self._own("Aws", sources.layer("aws"), "Adapters to AWS")
        lake = self._own("Lake", sources.layer("lake"), "Stages over the lake's tables")
        self.api: list[lambda_.ILayerVersion] = [domain, aws]
        self.lake: list[lambda_.ILayerVersion] = [domain, aws, lake]
        learn = self._own("Learn", sources.layer("learn"), "From features to probabilities")
        self.learn: list[lambda_.ILayerVersion] = [domain, aws, learn]
        if environment.has_wheel_layers:
            api_wheels = self._wheels(
                "ApiWheels", sources.wheels("api"), "Wheels of every function"
            )
            lake_wheels = self._wheels("LakeWheels", sources.wheels("lake"), "Wheels of the engine")
            self.api += [api_wheels]
            self.lake += [api_wheels, lake_wheels]
            learn_wheels = self._wheels(
                "LearnWheels", sources.wheels("learn"), "Wheels of what trains models"
            )
            self.learn += [learn_wheels]

    def _own(self, name: str, folder: str, description: str) -> lambda_.LayerVersion:
        if self._is_compiled:
            return self._layer(name, compiled_code(folder, LEFT_OUT), description)
        return self._wheels(name, folder, description)

    def _wheels(self, name: str, folder: str, description: str) -> lambda_.LayerVersion:
        return self._layer(name, lambda_.Code.from_asset(folder, exclude=LEFT_OUT), description)

    def _layer(self, name: str, code: lambda_.Code, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=code,
            compatible_architectures=[lambda_.Architecture.ARM_64],
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            description=description,
            removal_policy=RemovalPolicy.DESTROY,
        )
