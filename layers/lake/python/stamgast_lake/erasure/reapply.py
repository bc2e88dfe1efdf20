"""Who is there again after a restore: tombstones compared part by part, so that it can go on.

First with what names identifiers (32 parts), then with what others wrote: in the days of events,
and in what was written to the archive and the drop zone since.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from stamgast.erasure.request import AGAIN, Kind, RightsRequest, RightsStore
from stamgast.identity.keys import BASE32
from stamgast_lake.erasure.notes import Notes
from stamgast_lake.erasure.proof import MOST_SEEN
from stamgast_lake.erasure.restored import Foundings, restored_keys
from stamgast_lake.lake import Lake

JOB = "reapply"
SILENT_MS = 16 * 60 * 1000
"""Longer than a function may run: whoever said nothing for so long is not at work any more."""
KEEP_MS = 20_000
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
        state = self._state()
        if state is not None and state["is_done"]:
            self.requests.forget(JOB)  # told once: asked for again it is another comparison
            return state
        if state is None:
            state = {"job": self.now_ms(), "by": by, "domain": domain, "compared": 0}
            state |= {"of": len(BASE32), "days": [], "after": "", "found": {}, "values": {}}
            state |= {"objects": [], "requests": [], "is_done": False}
        elif self.now_ms() - state["at_ms"] < SILENT_MS:
            return state
        self._keep(state)
        self.begin()
        return state

    def go_on(self, is_late: Callable[[], bool]) -> bool:
        """Compares part after part until it is late; whether anything is left to compare."""
        state = self._state()
        if state is None or state["is_done"]:
            return False
        for step in (self._compared, self._read_days, self._read_objects):
            state = step(state, is_late)
            if state is None:
                return True
        made = [self._filed(state, until_ms, keys) for until_ms, keys in state["found"].items()]
        done = {"requests": made, "salts": self.unsalt(), "is_done": True}
        self.requests.forget(JOB)  # older versions of it hold values
        self._keep({**state, **done, "found": {}, "values": {}, "objects": []})
        self.carry_out(made)
        return False

    def _state(self) -> State | None:
        """Where the comparison stands; one of an older release, which knew other parts, is none."""
        state = self.requests.document(JOB)
        return state if state is not None and "of" in state else None

    # each takes its step up where it was left, and returns None once it is too late to go on

    def _compared(self, state: State, is_late: Callable[[], bool]) -> State | None:
        """What names identifiers, part by part."""
        for part in range(state["compared"], len(BASE32)):
            if is_late():
                return None
            found = self._with(state["found"], part)
            state = self._keep({**state, "compared": part + 1, "found": found})
        if state["of"] > len(BASE32):
            return state
        days = Notes(self.lake, {}).days() if self.lake.tombstones.all() else []
        return self._keep({**state, "days": days, "of": len(BASE32) + len(days) + 1})

    def _read_days(self, state: State, is_late: Callable[[], bool]) -> State | None:
        """What others wrote in events, day by day."""
        left = state["days"][state["compared"] - len(BASE32) :]
        notes = self._notes() if left else Notes(self.lake, {})
        for day in left:
            if is_late():
                return None
            told = self._with_values(state, notes.of_day(day), notes)
            state = self._keep({**told, "compared": state["compared"] + 1})
        return state

    def _read_objects(self, state: State, is_late: Callable[[], bool]) -> State | None:
        """What stands in the archive and the drop zone and was written since, object by object."""
        notes = self._notes()
        for key, written_ms in notes.objects(state["after"]):
            if is_late():
                return None
            values = notes.of_object(key, written_ms)
            if values:
                told = self._with_values(state, values, notes)
                state = {**told, "objects": [*state["objects"], key][:MOST_SEEN]}
            state = {**state, "after": key}
            if values or self.now_ms() - state["at_ms"] > KEEP_MS:
                state = self._keep(state)
        return state

    def _notes(self) -> Notes:
        """All tombstones but those of who came back since: what names them is theirs."""
        tombstones = self.lake.tombstones.all()
        founded = self.live.founded(frozenset(tombstones))
        gone = (key for key in tombstones if founded.get(key, 0) <= tombstones[key].until_ms)
        return Notes(self.lake, {key: tombstones[key] for key in gone})

    def _with_values(self, state: State, values: Mapping[str, str], notes: Notes) -> State:
        """The state with erased identifiers that a text spells."""
        found = {name: list(keys) for name, keys in state["found"].items()}
        for key in values:
            until_ms = str(notes.tombstones[key].until_ms)
            found[until_ms] = sorted({*found.get(until_ms, ()), key})
        return {**state, "found": found, "values": {**state["values"], **values}}

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
        values = {key: state["values"][key] for key in keys if key in state["values"]}
        self.requests.put(request, {"values": values, "objects": state["objects"]})
        return request_id

    def _keep(self, state: State) -> State:
        kept = {**state, "at_ms": self.now_ms()}
        self.requests.keep(JOB, kept)
        return kept
