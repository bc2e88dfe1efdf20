"""The HTTP API of look-up: its default stage lies at the root of the host."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53_targets as targets
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.blocks.access_log import fields
from infra.blocks.acknowledge import acknowledge
from infra.blocks.host import Host
from infra.blocks.retention import kept
from infra.environments import Domain, Environment

Stage = apigatewayv2.CfnStage
Method = apigatewayv2.HttpMethod
# An HTTP API waits for 30 seconds and no more.
GATEWAY_TIMEOUT = Duration.seconds(29)


class LookupApi(Construct):
    """Every path goes to one function, which checks the token, unless another serves it.

    `url` ends in no slash.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        function: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self.http = apigatewayv2.HttpApi(
            self,
            "Http",
            api_name=f"stamgast-{environment.name}-lookup",
            description="Answers with profiles",
            create_default_stage=False,
            default_integration=HttpLambdaIntegration("Function", function),
        )
        self.stage = self._stage(environment)
        self.url = self.http.api_endpoint
        if environment.domain:
            self.url = self._own_host(environment.domain)
        self._acknowledge()

    def serve(
        self, name: str, function: lambda_.IFunction, *paths: str, method: Method = Method.POST
    ) -> None:
        """Send the requests of these paths to another function, which checks tokens, too."""
        integration = HttpLambdaIntegration(name, function)
        for path in paths:
            self.http.add_routes(path=path, methods=[method], integration=integration)

    def _stage(self, environment: Environment) -> apigatewayv2.HttpStage:
        stage = apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self.http,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigatewayv2.ThrottleSettings(
                rate_limit=environment.requests_per_second, burst_limit=environment.request_burst
            ),
        )
        resource = stage.node.default_child
        assert isinstance(resource, Stage)
        resource.access_log_settings = Stage.AccessLogSettingsProperty(
            destination_arn=self._access_logs(environment).log_group_arn, format=fields("routeKey")
        )
        return stage

    def _access_logs(self, environment: Environment) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "AccessLogs",
            log_group_name=f"/stamgast/{environment.name}/lookup-access",
            retention=kept(environment.log_days),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _own_host(self, domain: Domain) -> str:
        host = Host(self, "Host", domain=domain, name=domain.profile_host)
        name = apigatewayv2.DomainName(
            self,
            "Name",
            domain_name=host.name,
            certificate=host.certificate,
            security_policy=apigatewayv2.SecurityPolicy.TLS_1_2,
        )
        apigatewayv2.ApiMapping(self, "Mapping", api=self.http, domain_name=name, stage=self.stage)
        host.point_to(
            targets.ApiGatewayv2DomainProperties(
                name.regional_domain_name, name.regional_hosted_zone_id
            )
        )
        return f"https://{host.name}"

    def _acknowledge(self) -> None:
        acknowledge(
            self.http,
            "AwsSolutions-APIG4",
            "The function checks reader tokens, whose scopes no authorizer of the gateway knows.",
        )
