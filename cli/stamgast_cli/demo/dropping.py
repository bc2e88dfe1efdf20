"""What the demo does to a deployment besides HTTP: files put down, the queue looked at."""

import time
from datetime import UTC, datetime
from pathlib import Path

from stamgast_cli.demo import history
from stamgast_cli.deployment import Deployment

# What a busy machine put off comes again when the queue shows it again, after six minutes.
DRAIN_SECONDS = 480.0


def upload(files: history.History, root: Path, deployment: Deployment) -> None:
    """Files under names of their own, so that those of a second demo are read again."""
    s3, bucket = deployment.client("s3"), deployment.output("LakeBucket")
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    for file in files.files:
        name = file.relative_to(root).with_name(f"{stamp}-{file.name}")
        s3.upload_file(str(file), bucket, f"imports/{history.SOURCE}/{name}")


def drain(deployment: Deployment, seconds: float = DRAIN_SECONDS) -> None:
    """Waits until the queue has been empty, with nothing in flight, twice in a row."""
    sqs, url = deployment.client("sqs"), deployment.output("EventQueueUrl")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    ends, empty = time.monotonic() + seconds, 0
    while empty < 2 and time.monotonic() < ends:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        empty = empty + 1 if not any(int(told[name]) for name in names) else 0
        time.sleep(0.5)
