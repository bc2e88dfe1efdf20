"""The REST API of ingestion: it inflates gzip, and every one of its own errors has our shape."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.blocks.access_log import fields
from infra.blocks.acknowledge import acknowledge
from infra.blocks.front import Front
from infra.blocks.retention import kept
from infra.environments import Environment

STAGE = "live"
ERROR = '{"code":"$context.error.responseType","message":$context.error.messageString}'
RETRY = {"Retry-After": "'2'"}
# Any origin, not the request's: the gateway's mapping of a request header depends on its case,
# and a browser that misses this header sees a network error instead of ours.
CORS = {
    "Access-Control-Allow-Origin": "'*'",
    "Access-Control-Expose-Headers": "'Retry-After'",
}
RESPONSES = {
    "DEFAULT_4XX": (None, {}),
    "DEFAULT_5XX": (None, {}),
    "THROTTLED": ("429", RETRY),
    "INTEGRATION_FAILURE": ("503", RETRY),
    "INTEGRATION_TIMEOUT": ("503", RETRY),
}


class IngestApi(Construct):
    """Every path and method goes to one function; bodies arrive as they were sent."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        function: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self.rest = apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=f"stamgast-{environment.name}-ingest",
            description="Takes events in",
            binary_media_types=["*/*"],
            cloud_watch_role=True,
            deploy_options=self._stage(environment),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
        )
        self.rest.node.try_remove_child("Endpoint")
        integration = apigateway.LambdaIntegration(function, allow_test_invoke=False)
        self.rest.root.add_method("ANY", integration)
        self.rest.root.add_resource("{proxy+}").add_method("ANY", integration)
        self._answer_in_our_shape()
        self.front = Front(self, "Front", environment=environment, rest=self.rest)
        if environment.web_acl_arn and not self.front.is_distribution:
            wafv2.CfnWebACLAssociation(
                self,
                "Acl",
                resource_arn=self.rest.deployment_stage.stage_arn,
                web_acl_arn=environment.web_acl_arn,
            )
        self._acknowledge(environment)

    def _stage(self, environment: Environment) -> apigateway.StageOptions:
        group = logs.LogGroup(
            self,
            "AccessLogs",
            log_group_name=f"/stamgast/{environment.name}/ingest-access",
            retention=kept(environment.log_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        return apigateway.StageOptions(
            stage_name=STAGE,
            access_log_destination=apigateway.LogGroupLogDestination(group),
            access_log_format=apigateway.AccessLogFormat.custom(fields("resourcePath")),
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            data_trace_enabled=False,
            metrics_enabled=True,
            tracing_enabled=True,
            throttling_rate_limit=environment.requests_per_second,
            throttling_burst_limit=environment.request_burst,
        )

    def _answer_in_our_shape(self) -> None:
        for name, (status, headers) in RESPONSES.items():
            self.rest.add_gateway_response(
                name.title().replace("_", ""),
                type=apigateway.ResponseType.of(name),
                status_code=status,
                response_headers={**CORS, **headers},
                templates={"application/json": ERROR},
            )

    def _acknowledge(self, environment: Environment) -> None:
        for rule, reason in _REASONS.items():
            acknowledge(self.rest, f"AwsSolutions-{rule}", reason)
        if environment.web_acl_arn is None or self.front.is_distribution:
            acknowledge(self.rest, "AwsSolutions-APIG3", _WITHOUT_ACL)


_REASONS = {
    "APIG2": "The function validates: a bad event is quarantined alone, which no schema can do.",
    "APIG4": "The function checks write keys, which SDKs send in three places.",
    "COG4": "Write keys name sources, not users of a pool.",
    "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
    "AmazonAPIGatewayPushToCloudWatchLogs]": "The policy that AWS keeps for the gateway's logs.",
}
_WITHOUT_ACL = (
    "A web ACL has a fixed charge: an environment names one in `web_acl_arn`, and it guards the "
    "distribution where there is one."
)
