"""Who is there again after a restore: tombstones compared part by part, so that it can go on.

First with what names identifiers (32 parts), then with what others wrote: in the days of events,
and in what was written to the archive and the drop zone since. Each night looks at the last alone,
and at no more of it than was written since the look before.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from stamgast.erasure.request import AGAIN, Kind, RightsRequest, RightsStore
from stamgast.identity.keys import BASE32
from stamgast.moments import moment_of
from stamgast_lake.erasure.lease import Lease
from stamgast_lake.erasure.notes import DROPPED, Notes, Written
from stamgast_lake.erasure.proof import MOST_SEEN
from stamgast_lake.erasure.restored import Foundings, restored_keys
from stamgast_lake.erasure.written import Judging
from stamgast_lake.lake import Lake

JOB, WATCH = "reapply", "watch"
BY = "stamgast"
"""In whose name a watch files requests: nobody asked for them."""
SILENT_MS = 16 * 60 * 1000
"""Longer than a function may run: whoever said nothing for so long is not at work any more."""
OVERLAP_MS = 60 * 60 * 1000
"""What a look goes over once more: the clocks of S3 and of the function may differ."""
AT_ONCE = 100
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
    lease: Lease
    pause: Callable[[], None]
    name: str = JOB

    def ask(self, by: str, domain: str) -> State:
        """Where the comparison stands; it is begun, or taken up again, where nobody is at it."""
        state = self._state()
        if state is not None and state["is_done"]:
            self.requests.forget(self.name)  # told once: asked for again it is another comparison
            return state
        return self._begun(state, {"by": by, "domain": domain, "compared": 0, "of": len(BASE32)})

    def watch(self) -> None:
        """Begins to look at what was written since the last look, unless somebody is at it."""
        state, parts = self._state(), len(BASE32)
        is_over = state is not None and state["is_done"]
        since_ms = state["job"] - OVERLAP_MS if state is not None and is_over else 0
        new = {"by": BY, "domain": "", "compared": parts, "of": parts + 1, "since": since_ms}
        self._begun(None if is_over else state, new)

    def _begun(self, state: State | None, new: State) -> State:
        """The job that is under way, taken up again where nobody is at it, or a new one."""
        if state is None:
            state = {"job": self.now_ms(), **new, "days": [], "after": "", "found": {}}
            state |= {"values": {}, "objects": [], "changed": 0, "requests": [], "is_done": False}
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
        self.requests.forget(self.name)  # older versions of it hold values
        self._keep({**state, **done, "found": {}, "values": {}, "objects": []})
        self.carry_out(made)
        return False

    def _state(self) -> State | None:
        """Where the comparison stands; one of an older release, which knew other parts, is none."""
        state = self.requests.document(self.name)
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
        notes, judging = self._notes(), Judging(self.lake, moment_of(self.now_ms()), is_dry=True)
        for some in batched(notes.objects(state["after"], state.get("since", 0)), AT_ONCE):
            if is_late():
                return None
            told = judging.changed(some)
            if not self._changed([one for one in some if one.key in told], is_late):
                return None
            for one in some:
                state = self._read(state, one, notes, judging)
            state = self._keep({**state, "changed": state["changed"] + len(told)})
        return state

    def _changed(self, written: Sequence[Written], is_late: Callable[[], bool]) -> bool:
        """Takes out of these objects what an erasure had taken away; False if a run was too long.

        Under the lease of runs, for a run reads what it has listed.
        """
        if not written:
            return True
        while (seq := self.lease.acquire(self.name)) is None:
            if is_late():
                return False
            self.pause()
        try:
            Judging(self.lake, moment_of(self.now_ms())).changed(written)
        finally:
            self.lease.release(self.name, seq)
        return True

    def _read(self, state: State, one: Written, notes: Notes, judging: Judging) -> State:
        """The state after an object was read: what its texts spell is wanted.

        Rows of a dropped file have no age; a watch leaves them to the lines that were made of them.
        """
        is_aged = not ("since" in state and one.key.startswith(DROPPED))
        if (is_aged or judging.is_refused(one)) and (values := notes.of_object(one)):
            state = self._with_values(state, values, notes)
            state = {**state, "objects": [*state["objects"], one.key][:MOST_SEEN]}
        return {**state, "after": one.key}

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
        request_id = str(uuid5(NAMESPACE_OID, f"{self.name}:{state['job']}:{until_ms}"))
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
        self.requests.keep(self.name, kept)
        return kept
