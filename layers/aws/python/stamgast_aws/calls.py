"""Calls of AWS clients, whose failures become the one error that the domain knows."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stamgast.store_error import StoreError

REFUSED = "ConditionalCheckFailedException"


class ConditionError(Exception):
    """The condition of a write did not hold."""


def call(method: Callable[..., Any], /, **request: Any) -> Any:
    """The client's answer; raises ConditionError or, for any other failure, StoreError.

    After a StoreError a write may have happened or not.
    """
    try:
        return method(**request)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == REFUSED:
            raise ConditionError(code) from error
        raise StoreError(code) from error
    except BotoCoreError as error:
        raise StoreError(type(error).__name__) from error
