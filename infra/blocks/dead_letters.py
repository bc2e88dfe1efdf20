"""Where failed messages and calls wait for somebody to look at them."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.blocks.acknowledge import acknowledge

LONGEST = Duration.days(14)


class DeadLetters(Construct):
    """An encrypted queue that keeps messages as long as SQS can; nothing reads it by itself."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=LONGEST,
        )
        reason = "The end of the line: an alarm watches it, `stamgast redrive` empties it."
        acknowledge(self.queue, "AwsSolutions-SQS3", reason)
        acknowledge(self.queue, "Serverless-SQSRedrivePolicy", reason)
