"""A host name of one's own: its certificate and its records in the hosted zone."""

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct

from infra.environments import Domain


class Host(Construct):
    """A name whose certificate the zone validates, and that points where it is told to."""

    def __init__(self, scope: Construct, construct_id: str, *, domain: Domain, name: str) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self._zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=domain.zone_id, zone_name=domain.zone_name
        )
        self.certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=name,
            validation=acm.CertificateValidation.from_dns(self._zone),
        )

    def point_to(self, alias: route53.IAliasRecordTarget) -> None:
        """Answer for this name with the target's addresses."""
        target = route53.RecordTarget.from_alias(alias)
        route53.ARecord(self, "A", zone=self._zone, record_name=self.name, target=target)
        route53.AaaaRecord(self, "Aaaa", zone=self._zone, record_name=self.name, target=target)
