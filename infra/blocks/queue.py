"""A queue with its dead letters, both encrypted and closed to plain HTTP."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.blocks.dead_letters import LONGEST, DeadLetters

TRIES = 5


class QueueWithDeadLetters(Construct):
    """Messages wait here; after five failed tries they wait beside it."""

    def __init__(self, scope: Construct, construct_id: str, *, visibility: Duration) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters").queue
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=LONGEST,
            visibility_timeout=visibility,
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=TRIES, queue=self.dead_letters),
        )
