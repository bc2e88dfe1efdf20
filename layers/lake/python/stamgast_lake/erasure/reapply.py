"""Who is there again after a restore: tombstones compared part by part, so that it can go on."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from stamgast.erasure.request import Kind, RightsRequest, RightsStore
from stamgast.identity.keys import BASE32
from stamgast_lake.erasure.restored import Foundings, restored_keys
from stamgast_lake.lake import Lake

JOB = "reapply"
# What a request says of its reason that no person asked for.
AGAIN = "restored"
SILENT_MS = 16 * 60 * 1000
"""Longer than a function may run: whoever said nothing for so long is not at work any more."""
State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reapplying:
    """The comparison of all tombstones with what tables hold, one at a time for a workspace.

    `begin` has `go_on` called behind the answer; `unsalt` takes salts of erased persons away that a
    backup of `control` brought back, and tells how many. Requests are named by the job and the
    moment of erasure, so an end that is done again files none twice.
    """

    lake: Lake
    live: Foundings
    requests: RightsStore
    begin: Callable[[], None]
    carry_out: Callable[[Collection[str]], None]
    unsalt: Callable[[], int]
    now_ms: Callable[[], int]

    def ask(self, by: str, domain: str) -> State:
        """Where the comparison stands; it is begun, or taken up again, where nobody is at it."""
        state = self.requests.document(JOB)
        if state is not None and state["is_done"]:
            self.requests.forget(JOB)  # told once: asked for again it is another comparison
            return state
        if state is None:
            state = {"job": self.now_ms(), "by": by, "domain": domain, "compared": 0}
            state |= {"found": {}, "requests": [], "is_done": False}
        elif self.now_ms() - state["at_ms"] < SILENT_MS:
            return state
        self._keep(state)
        self.begin()
        return state

    def go_on(self, is_late: Callable[[], bool]) -> bool:
        """Compares part after part until it is late; whether anything is left to compare."""
        state = self.requests.document(JOB)
        if state is None or state["is_done"]:
            return False
        for part in range(state["compared"], len(BASE32)):
            if is_late():
                return True
            state = {**state, "compared": part + 1, "found": self._with(state["found"], part)}
            self._keep(state)
        made = [self._filed(state, until_ms, keys) for until_ms, keys in state["found"].items()]
        done = {"requests": made, "salts": self.unsalt(), "is_done": True}
        self._keep({**state, **done, "found": {}})
        self.carry_out(made)
        return False

    def _with(self, found: Mapping[str, list[str]], part: int) -> dict[str, list[str]]:
        """What was found so far and in this part: erased identifiers by moment of erasure."""
        tombstones = self.lake.tombstones.ending(BASE32[part])
        told = dict(found)
        for until_ms, keys in restored_keys(self.lake, self.live, tombstones).items():
            told[str(until_ms)] = sorted({*told.get(str(until_ms), ()), *keys})
        return told

    def _filed(self, state: State, until_ms: str, keys: Collection[str]) -> str:
        """An erasure of these identifiers up to the moment of the one before; its id."""
        request_id = str(uuid5(NAMESPACE_OID, f"{JOB}:{state['job']}:{until_ms}"))
        request = RightsRequest(
            request_id=request_id,
            kind=Kind.ERASURE,
            by=state["by"],
            regulation=AGAIN,
            keys=tuple(sorted(keys)),
            received_ms=self.now_ms(),
            domain=state["domain"],
            until_ms=int(until_ms),
        )
        self.requests.put(request, {"values": {}})
        return request_id

    def _keep(self, state: State) -> None:
        self.requests.keep(JOB, {**state, "at_ms": self.now_ms()})
