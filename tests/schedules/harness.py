"""Random interleavings of real code: each call of the in-process client may switch."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

from tests.fakes.dynamodb import DynamoDB, Fault

Chances = Mapping[Fault, float]
NO_FAULTS: Chances = {}
READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
FITTING = {
    Fault.PARTIAL: frozenset({"BatchGetItem", "BatchWriteItem"}),
    Fault.CONFLICT: frozenset({"TransactWriteItems"}),
}


class ViolationError(AssertionError):
    """A law that a schedule broke."""


class OutOfFuelError(ViolationError):
    """A schedule that does not end."""


@dataclass(eq=False)
class Process:
    """One worker of a schedule: what it returned, or how it died."""

    name: str
    run: Callable[[], Any]
    thread: greenlet = field(repr=False)
    is_daemon: bool = False
    result: Any = None
    error: BaseException | None = None
    is_crashed: bool = False

    @property
    def is_done(self) -> bool:
        return self.thread.dead


class Schedule:
    """Runs processes interleaved at random, the same for the same seed.

    A daemon runs as long as others do and may outlive them. An exception of a class in `expected`
    ends its process quietly (it is kept in `error`); any other ends the schedule.
    """

    def __init__(
        self,
        seed: int,
        client: DynamoDB,
        faults: Chances = NO_FAULTS,
        fuel: int = 20_000,
        expected: tuple[type[BaseException], ...] = (),
    ) -> None:
        self.random = random.Random(seed)
        self.faults = faults
        self.fuel = fuel
        self.expected = expected
        self.processes: list[Process] = []
        self.crashed: list[Process] = []
        self.main = getcurrent()
        client.before = self._at_call

    @property
    def faults(self) -> Chances:
        """What may happen to a call, and how often."""
        return self._faults

    @faults.setter
    def faults(self, chances: Chances) -> None:
        self._faults = dict(chances)
        self._at_each: dict[str, list[tuple[Fault, float]]] = {}

    # what the code under test calls

    def step(self) -> None:
        """Gives the turn away; the code goes on when the schedule picks it again."""
        if getcurrent() is not self.main:
            self.main.switch()

    def pause(self, seconds: float) -> None:
        """A sleep: some turns for the others, more of them for a longer one."""
        for _ in range(self.random.randint(1, 2 if seconds < 0.1 else 6)):
            self.step()

    def jitter(self) -> float:
        """A random number in [0, 1) from this schedule's seed."""
        return self.random.random()

    def _at_call(self, operation: str, request: Mapping[str, Any]) -> Fault | None:
        self.step()
        if not self._faults:
            return None
        drawn = self.random.random()
        for fault, below in self._chances(operation):
            if drawn < below:
                return fault
        return None

    def _chances(self, operation: str) -> list[tuple[Fault, float]]:
        """The faults that fit an operation, each with the number that a draw must be below."""
        found = self._at_each.get(operation)
        if found is None:
            fitting = [fault for fault in self._faults if _fits(fault, operation)]
            below = accumulate(self._faults[fault] for fault in fitting)
            found = self._at_each[operation] = list(zip(fitting, below, strict=True))
        return found

    # what a test calls

    def start(self, name: str, run: Callable[[], Any], is_daemon: bool = False) -> Process:
        """Adds a process; it runs when the schedule picks it."""
        process = Process(name, run, greenlet(lambda: None), is_daemon)
        process.thread = greenlet(lambda: self._life(process))
        self.processes.append(process)
        return process

    def crash(self, process: Process) -> None:
        """Kills a process where it stands, as a time-out of its Lambda would."""
        process.is_crashed = True
        self.crashed.append(process)
        process.thread.throw(GreenletExit)
        self.processes = [p for p in self.processes if p is not process]

    def turn(self) -> bool:
        """One random process runs up to its next call; whether that was its end."""
        self.fuel -= 1
        if self.fuel < 0:
            raise OutOfFuelError("the schedule does not end")
        process = self.processes[int(self.random.random() * len(self.processes))]
        process.thread.switch()
        if not process.thread.dead:
            return False
        self.processes = [p for p in self.processes if p is not process]
        if process.error is not None and not isinstance(process.error, self.expected):
            raise process.error
        return True

    def run(self) -> None:
        """Runs until every process that is no daemon has ended; daemons are then killed."""
        while any(not process.is_daemon for process in self.processes):
            while not self.turn():
                continue
        for process in self.processes:
            process.thread.throw(GreenletExit)
        self.processes = []

    def close(self) -> None:
        """Kills what still stands, so that a failed schedule leaves no suspended frame."""
        for process in self.processes:
            if not process.thread.dead:
                process.thread.throw(GreenletExit)
        self.processes = []

    def _life(self, process: Process) -> None:
        try:
            process.result = process.run()
        except GreenletExit:
            process.is_crashed = True
        except Exception as error:  # noqa: BLE001  (handed to the schedule, which raises it)
            process.error = error


def _fits(fault: Fault, operation: str) -> bool:
    if fault is Fault.SENT_TWICE:
        return operation not in READS
    return operation in FITTING.get(fault, (operation,))
