"""The paths of the look-up API and what answers each; pure but for a desk's ports."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, Protocol, TypeAlias, TypeVar
from urllib.parse import unquote

from stamgast.egress.disclosure import Disclosure
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import Kind
from stamgast.lookup.faults import NO_ROUTE, UNAUTHORISED, WRONG_METHOD, Fault, forbidden
from stamgast.lookup.find import ProfileStore
from stamgast.lookup.page import Page
from stamgast.lookup.person import Lens
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.request import View
from stamgast.moments import moment_of
from stamgast.profile.timeline import Entry
from stamgast.workspace.model import Workspace


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the handler read it; `body` is text, `token` the Bearer or Basic user."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """Status, JSON and headers; `route` names the path's pattern for logs and metrics."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    route: str = "none"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is told of a request that was taken and is not done yet: 202."""

    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Created:
    """What is told of something new that has an id of its own from now on: 201."""

    body: Mapping[str, Any]


class TokenStore(Protocol):
    """Who a token belongs to; raises ConnectionError when that cannot be known now."""

    def find(self, token: str) -> Reader | None:
        """The reader of an active token."""


class HasTokens(Protocol):
    """The least that a desk needs: a way to know who asks."""

    @property
    def tokens(self) -> TokenStore:
        """Who each token belongs to."""
        ...


class TimelineStore(Protocol):
    """The strips of timelines, one an anchor."""

    def strips(self, anchors: frozenset[str], page: Page, now_ms: int) -> list[list[Entry]]:
        """For each anchor its newest entries before the page's position, one more than a page."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What answering needs; `now_ms` is milliseconds since 1970."""

    profiles: ProfileStore
    timelines: TimelineStore
    tokens: TokenStore
    workspace: Workspace
    keyring: Keyring
    now_ms: int
    disclosures: list[Disclosure] = field(default_factory=list)
    """What was shown or withheld while answering, to be kept before the answer goes out."""

    def today(self) -> date:
        """The day in the workspace's time zone."""
        # Imported on use: only computed traits count days.
        from zoneinfo import ZoneInfo

        return moment_of(self.now_ms).astimezone(ZoneInfo(self.workspace.time_zone)).date()

    def lens(self, view: View) -> Lens:
        """The lens through which a request of this view looks."""
        namespaces = self.workspace.identity.namespaces
        return Lens(view, frozenset(n.name for n in namespaces if n.kind is Kind.EPHEMERAL))


D = TypeVar("D", bound=HasTokens)
Told: TypeAlias = Mapping[str, Any] | Created | Accepted | Fault
Answering: TypeAlias = Callable[[Request, Mapping[str, str], Reader, D], Told]
FaultForm: TypeAlias = Callable[[Fault], Mapping[str, Any]]


def plain_form(fault: Fault) -> Mapping[str, Any]:
    """`{"code", "message"}`, as every error body of this product has them."""
    return {"code": fault.code, "message": fault.message, **fault.more}


@dataclass(frozen=True, slots=True)
class Route(Generic[D]):
    """One path; a group named `identifier` in the pattern takes everything a value may hold.

    `action` is what a token must have been granted; None: every reader may ask.
    """

    name: str
    method: str
    template: str
    pattern: re.Pattern[str]
    answering: Answering[D]
    fault_form: FaultForm = plain_form
    action: Action | None = None


def route(
    name: str,
    method: str,
    template: str,
    answering: Answering[D],
    form: FaultForm = plain_form,
    action: Action | None = None,
) -> Route[D]:
    """A route whose template, such as `/v1/profiles/{identifier}`, says its pattern.

    Other parts are bounded, for some become keys of items, which DynamoDB ends at 2,048 bytes.
    """
    pattern = re.escape(template).replace(r"\{identifier\}", "(?P<identifier>.+)")
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]{1,200})", pattern)
    return Route(name, method, template, re.compile(pattern, re.DOTALL), answering, form, action)


def respond(request: Request, desk: D, routes: tuple[Route[D], ...]) -> Response:
    """The answer to a request: who asks is settled before anything is looked up."""
    found = [(one, match) for one in routes if (match := one.pattern.fullmatch(request.path))]
    if not found:
        return _refused(NO_ROUTE, "none", plain_form)
    fitting = [pair for pair in found if pair[0].method == request.method]
    if not fitting:
        return _refused(WRONG_METHOD, found[0][0].name, found[0][0].fault_form)
    chosen, match = fitting[0]
    reader = desk.tokens.find(request.token) if request.token else None
    if reader is None:
        return _refused(UNAUTHORISED, chosen.name, chosen.fault_form)
    if chosen.action is not None and not reader.may_do(chosen.action):
        return _refused(_not_granted(chosen.action), chosen.name, chosen.fault_form)
    parts = {
        name: value if name == "identifier" else unquote(value)
        for name, value in match.groupdict().items()
    }
    told = chosen.answering(request, parts, reader, desk)
    if isinstance(told, Fault):
        return _refused(told, chosen.name, chosen.fault_form)
    if isinstance(told, Created):
        return Response(201, told.body, route=chosen.name)
    if isinstance(told, Accepted):
        return Response(202, told.body, route=chosen.name)
    return Response(200, told, route=chosen.name)


def _not_granted(action: Action) -> Fault:
    return forbidden(
        f"This token may not do {action}: make one with `stamgast token add NAME --may {action}`."
    )


def _refused(fault: Fault, name: str, form: FaultForm) -> Response:
    return Response(fault.status, form(fault), fault.headers, name)
