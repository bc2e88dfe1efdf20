"""The table `profiles`, a view of the lake that can be rebuilt, and the bus that tells of it."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from constructs import Construct

from infra.blocks.acknowledge import acknowledge
from infra.data_stack import DataStack


class ProfileView(Construct):
    """What live and authoritative loops write and look-up reads; changes go to the bus."""

    def __init__(self, scope: Construct, construct_id: str, *, data: DataStack) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Profiles",
            partition_key=dynamodb.Attribute(name="PK", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="SK", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=data.key,
            time_to_live_attribute="ttl",
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.bus = events.EventBus(self, "Bus", description="Changes of persons and profiles")
        reason = "A view: a run publishes it anew from the lake, which is versioned and kept."
        acknowledge(self.table, "AwsSolutions-DDB3", reason)
