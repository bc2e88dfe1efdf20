"""The Lambda layers: our own as they lie, the third-party ones as `make layers` built them."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.environments import Environment
from infra.sources import Sources

LEFT_OUT = ["**/__pycache__", "**/*.pyc", "**/*.egg-info", "build.py"]


class Layers(Construct):
    """What functions are handed: `api` for most, `lake` to commit tables, `learn` to train."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, sources: Sources
    ) -> None:
        super().__init__(scope, construct_id)
        domain = self._own("Domain", sources.layer("domain"), "Rules without AWS")
        aws = self._own("Aws", sources.layer("aws"), "Adapters to AWS")
        lake = self._own("Lake", sources.layer("lake"), "Stages over the lake's tables")
        self.api: list[lambda_.ILayerVersion] = [domain, aws]
        self.lake: list[lambda_.ILayerVersion] = [domain, aws, lake]
        learn = self._own("Learn", sources.layer("learn"), "From features to probabilities")
        self.learn: list[lambda_.ILayerVersion] = [domain, aws, learn]
        if environment.has_wheel_layers:
            api_wheels = self._own("ApiWheels", sources.wheels("api"), "Wheels of every function")
            lake_wheels = self._own("LakeWheels", sources.wheels("lake"), "Wheels of the engine")
            self.api += [api_wheels]
            self.lake += [api_wheels, lake_wheels]
            learn_wheels = self._own(
                "LearnWheels", sources.wheels("learn"), "Wheels of what trains models"
            )
            self.learn += [learn_wheels]

    def _own(self, name: str, folder: str, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=lambda_.Code.from_asset(folder, exclude=LEFT_OUT),
            compatible_architectures=[lambda_.Architecture.ARM_64],
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            description=description,
            removal_policy=RemovalPolicy.DESTROY,
        )
