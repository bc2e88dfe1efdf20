"""The outermost edge of every function behind the HTTP API: one request in, one logged answer out.

A store that fails is told as 503; a log line has the route, the status and the time, never a path
or an identifier.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stamgast.lookup.faults import UNAVAILABLE
from stamgast.lookup.routes import Request, Response, plain_form
from stamgast.store_error import StoreError
from stamgast_aws.http_api import gateway_answer, lookup_request_of
from stamgast_aws.line_log import LineLog


def answered(
    event: Mapping[str, Any], what: str, answer: Callable[[Request], Response]
) -> dict[str, Any]:
    """The answer to an event (payload format 2.0); `what` begins its log line."""
    log, began = LineLog(), time.perf_counter()
    try:
        response = answer(lookup_request_of(event))
    except (BotoCoreError, ClientError, ConnectionError, StoreError) as error:
        log.error(  # noqa: TRY400 - the type of the error alone, for its text may hold a key
            f"{what} failed", error=type(error).__name__
        )
        response = Response(
            UNAVAILABLE.status, plain_form(UNAVAILABLE), UNAVAILABLE.headers, "unavailable"
        )
    spent_ms = round((time.perf_counter() - began) * 1000, 1)
    log.info(
        f"{what} answered", route=response.route, status=response.status, milliseconds=spent_ms
    )
    return gateway_answer(response)
