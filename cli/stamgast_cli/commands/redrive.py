"""`stamgast redrive`: dead letters go back to the queue that they came from."""

from typing import Any

import typer

from stamgast_cli.deployment import find
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output

BATCH = 10


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("redrive")(redrive)


def redrive(stack: Stack = None, json: Json = False) -> None:
    """Send dead letters through the live loop again; twice and out of order is harmless.

    Example: stamgast redrive --stack prod
    """
    output = Output(is_json=json)
    deployment = find(stack)
    with output.step("Moving dead letters back"):
        moved = move(
            deployment.client("sqs"),
            deployment.output("DeadLetterQueueUrl"),
            deployment.output("EventQueueUrl"),
        )
    output.facts({"moved": moved})


def move(sqs: Any, source_url: str, target_url: str) -> int:
    """Copy every message, then delete it; return how many moved.

    A stop between the two leaves a duplicate, which the live loop knows, and never a loss.
    """
    moved = 0
    while True:
        told = sqs.receive_message(
            QueueUrl=source_url,
            MaxNumberOfMessages=BATCH,
            MessageAttributeNames=["All"],
            VisibilityTimeout=60,
            WaitTimeSeconds=1,
        )
        messages = told.get("Messages", [])
        if not messages:
            return moved
        for message in messages:
            sqs.send_message(
                QueueUrl=target_url,
                MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}),
            )
            sqs.delete_message(QueueUrl=source_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
