"""Executions of a state machine, as Step Functions tells of them."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

# Aborted and timed out executions are left out: a function of theirs may still be at work.
AT_REST = frozenset(("FAILED", "SUCCEEDED"))


class StepFunctionsExecutions:
    """Whether an execution came to one of its own ends."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def is_at_rest(self, execution: str) -> bool:
        """True once it succeeded or failed, after which nothing of it runs; False when unsure."""
        try:
            told = self._client.describe_execution(executionArn=execution)
        except (BotoCoreError, ClientError):
            return False
        return told["status"] in AT_REST
