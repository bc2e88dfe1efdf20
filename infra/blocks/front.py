"""The root of a host for ingestion: a domain where one is configured, else a distribution."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from infra.blocks.acknowledge import acknowledge
from infra.blocks.host import Host
from infra.environments import Domain, Environment


class Front(Construct):
    """Where SDKs point at: `url`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        rest: apigateway.RestApi,
    ) -> None:
        super().__init__(scope, construct_id)
        self.is_distribution = environment.has_distribution and environment.domain is None
        if environment.domain:
            self.url = self._own_host(environment.domain, rest)
        elif self.is_distribution:
            self.url = self._distribution(rest, environment.web_acl_arn)
        else:
            self.url = rest.url

    def _own_host(self, domain: Domain, rest: apigateway.RestApi) -> str:
        host = Host(self, "Host", domain=domain, name=domain.ingest_host)
        name = rest.add_domain_name(
            "Name",
            domain_name=host.name,
            certificate=host.certificate,
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        host.point_to(targets.ApiGatewayDomain(name))
        return f"https://{host.name}"

    def _distribution(self, rest: apigateway.RestApi, web_acl_arn: str | None) -> str:
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="Puts ingestion at the root of a host",
            web_acl_id=web_acl_arn,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.RestApiOrigin(rest),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                compress=False,
            ),
        )
        _acknowledge(distribution)
        return f"https://{distribution.distribution_domain_name}"


def _acknowledge(distribution: cloudfront.Distribution) -> None:
    reasons = {
        "CFR1": "Events come from wherever customers are.",
        "CFR2": "A web ACL has a fixed charge: an environment names one in `web_acl_arn`.",
        "CFR3": "Access logs hold addresses and write keys; the API logs requests without them.",
        "CFR4": "The shared certificate fixes the TLS version; a domain of one's own has 1.2.",
    }
    for rule, reason in reasons.items():
        acknowledge(distribution, f"AwsSolutions-{rule}", reason)
