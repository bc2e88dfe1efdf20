"""People whom a running platform knows, knew or may not tell of, asked for over both its APIs."""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen
from uuid import uuid4

Ask = Callable[[], bytes]
PATIENCE_SECONDS, PAUSE_SECONDS = 300, 1.0
WITHHELD = b'"withheld"'


@dataclass(frozen=True, slots=True)
class Platform:
    """Its two addresses, a token that may look up and erase, and a secret write key."""

    profile_url: str
    ingest_url: str
    token: str
    key: str

    def get(self, path: str, token: str = "") -> Ask:
        """A question of the look-up API."""
        return self._asking(Request(f"{self.profile_url}{path}"), token)

    def post(self, path: str, body: object, token: str = "") -> Ask:
        """The same with a body."""
        text = json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        return self._asking(Request(f"{self.profile_url}{path}", text, headers), token)

    def send(self, **event: Any) -> None:
        """One event, as a customer's server sends it."""
        key = b64encode(f"{self.key}:".encode()).decode()
        headers = {"content-type": "application/json", "authorization": f"Basic {key}"}
        body = json.dumps({"batch": [event]}).encode()
        answered(Request(f"{self.ingest_url}/v1/batch", body, headers))

    def _asking(self, request: Request, token: str) -> Ask:
        request.add_header("authorization", f"Bearer {token or self.token}")
        return lambda: answered(request)


def answered(request: Request) -> bytes:
    """The status and the body of an answer, refusals among them."""
    try:
        with urlopen(request, timeout=60) as answer:
            return f"{answer.status} ".encode() + bytes(answer.read())
    except HTTPError as error:
        return f"{error.code} ".encode() + error.read()


def planted(platform: Platform) -> Mapping[str, str]:
    """Somebody known, suppressed, erased and unknown, each by an address of this run alone."""
    run = uuid4().hex[:12]
    people = {
        name: f"email:{name}.{run}@example.com"
        for name in ("known", "suppressed", "erased", "unknown")
    }
    for name in ("known", "suppressed", "erased"):
        address = people[name].partition(":")[2]
        traits = {"email": address, "city": "Delft"}
        told = {"consent": {"suppressed": name == "suppressed"}}
        user = f"{name}-{run}"
        platform.send(type="identify", userId=user, messageId=user, traits=traits, context=told)
    for name in ("known", "erased"):
        until(platform.get(own(people[name])), lambda told: told.startswith(b"200"))
    until(platform.get(own(people["suppressed"])), lambda told: WITHHELD in told)
    erase(platform, people["erased"].partition(":")[2])
    return people


def erase(platform: Platform, address: str) -> None:
    """Erases whoever has this address, and waits until that is done."""
    identity = {"identity_type": "email", "identity_value": address, "identity_format": "raw"}
    request = str(uuid4())
    body = {"subject_request_id": request, "subject_request_type": "erasure", "regulation": "gdpr"}
    told = platform.post("/v3/requests", {**body, "subject_identities": [identity]})()
    if not told.startswith(b"201"):
        raise SystemExit(f"the request was refused: {told.decode()}")
    until(platform.get(f"/v3/requests/{request}"), lambda told: b'"completed"' in told)


def until(ask: Ask, is_right: Callable[[bytes], bool]) -> None:
    """Asks until the answer is right, for five minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_right(told := ask()):
        if time.monotonic() > deadline:
            raise SystemExit(f"not so after {PATIENCE_SECONDS} seconds: {told[:200]!r}")
        time.sleep(PAUSE_SECONDS)


def own(who: str) -> str:
    """The path of somebody's profile."""
    return f"/v1/profiles/{quote(who, safe=':')}"


def segments(who: str) -> str:
    """The path of somebody's traits as Segment's Profile API spells it."""
    return f"/v1/spaces/space/collections/users/profiles/{quote(who, safe=':')}/traits"


def pairs(platform: Platform, people: Mapping[str, str]) -> Mapping[str, tuple[Ask, Ask]]:
    """Each beside the unknown, by path, by body and by Segment's path; then with a wrong token."""
    told: dict[str, tuple[Ask, Ask]] = {}
    nobody = people["unknown"]

    def looked_up(who: str) -> Ask:
        return platform.post("/v1/profiles:lookup", {"identifiers": [who]})

    for name in ("known", "suppressed", "erased"):
        who, same = people[name], "= " if name == "erased" else ""
        told[f"{same}{name}, unknown"] = platform.get(own(who)), platform.get(own(nobody))
        told[f"{name}, unknown: in a body"] = looked_up(who), looked_up(nobody)
        told[f"{same}{name}, unknown: Segment's path"] = (
            platform.get(segments(who)),
            platform.get(segments(nobody)),
        )
    wrong = f"{platform.token}x"
    for name, path in (("own path", own), ("Segment's path", segments)):
        told[f"= no such token, known, unknown: {name}"] = (
            platform.get(path(people["known"]), wrong),
            platform.get(path(nobody), wrong),
        )
    return told
