"""What a look-up refuses, each with its HTTP status; a message never carries an identifier."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """A refused look-up: the status of the answer, a code for machines, a message for people.

    `more` stands in the body beside both.
    """

    status: int
    code: str
    message: str
    headers: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    more: Mapping[str, Any] = field(default_factory=dict)


UNAUTHORISED = Fault(
    401,
    "unauthorized",
    "A reader's token is needed: as a Bearer token, or as the Basic user name. "
    "Write keys do not read.",
    MappingProxyType({"www-authenticate": "Bearer"}),
)
NOT_FOUND = Fault(404, "not_found", "Profile was not found.")
NO_ROUTE = Fault(404, "no_such_path", "No such path; see the API's description in docs/openapi.")
WRONG_METHOD = Fault(405, "method_not_allowed", "This path answers another method.")
UNAVAILABLE = Fault(
    503,
    "unavailable",
    "The store is not answering; try again.",
    MappingProxyType({"retry-after": "1"}),
)


BOUND = Fault(403, "forbidden", "A token that is bound to purposes may not ask for explanations.")


def bad(code: str, message: str) -> Fault:
    """A fault of the request itself, which the same request will meet again."""
    return Fault(400, code, message)


def forbidden(message: str) -> Fault:
    """A request that the reader's scope does not cover."""
    return Fault(403, "forbidden", message)
