"""Staging with a process for each core: the workers get bodies as local files and reach no network.

Plain child processes over pipes: a function of Lambda has no shared memory for process pools, and
a fork would copy the threads' locks.
"""

import os
import pickle
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

import orjson

from stamgast_lake.archive import LakeObject
from stamgast_lake.loading.stage import (
    Reading,
    Staging,
    Taken,
    stage_object,
    write_empty,
)

WORTH_BYTES = 4 * 1024 * 1024
MOST_WORKERS = 4
OUTSTANDING = 2
START = "from stamgast_lake.loading.parallel import serve; serve()"


class WorkerLostError(RuntimeError):
    """A worker ended before it had answered; the stage is repeated from its inputs."""


def workers_for(total_bytes: int) -> int:
    """How many processes are worth their start for this many (compressed) bytes."""
    return min(os.cpu_count() or 1, MOST_WORKERS) if total_bytes >= WORTH_BYTES else 1


class Worker:
    """One child process: it is sent objects and tells what each of them held."""

    def __init__(self, process: "Popen[bytes]", folder: Path) -> None:
        self._process, self._folder = process, folder
        self.outstanding: list[LakeObject] = []

    def send(self, number: int, one: LakeObject, body: bytes) -> None:
        """Hands over one object; its body goes by way of the disk."""
        path = self._folder / f"body-{number:06d}"
        path.write_bytes(body)
        self._write(orjson.dumps({"object": asdict(one), "path": str(path)}) + b"\n")
        self.outstanding.append(one)

    def start(self, reading: Reading, name: str) -> None:
        """Sends what every object is read with."""
        self._write(pickle.dumps((reading, str(self._folder), name)))

    def receive(self) -> Taken:
        """What the object that was sent first held; raises WorkerLostError without an answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerLostError("a staging worker ended early")
        lines, unreadable = orjson.loads(line)
        return Taken(self.outstanding.pop(0), lines, unreadable)

    def finish(self) -> list[Taken]:
        """Every answer that is still due, and a clean end."""
        taken = [self.receive() for _ in list(self.outstanding)]
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait() != 0:
            raise WorkerLostError("a staging worker failed at its end")
        return taken

    def _write(self, told: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(told)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerLostError("a staging worker ended early") from error


def stage_in_workers(
    bodies: Iterable[tuple[LakeObject, bytes]], reading: Reading, folder: Path, workers: int
) -> list[Taken]:
    """Does what `stage` does, with this many processes; at most two bodies wait for each."""
    write_empty(folder)
    taken: list[Taken] = []
    with ExitStack() as stack:
        crew = [stack.enter_context(_worker(folder)) for _ in range(workers)]
        for number, worker in enumerate(crew):
            worker.start(reading, f"worker-{number}")
        for number, (one, body) in enumerate(bodies):
            worker = min(crew, key=lambda of: len(of.outstanding))
            if len(worker.outstanding) >= OUTSTANDING:
                worker = crew[number % workers]
                taken.append(worker.receive())
            worker.send(number, one, body)
        for worker in crew:
            taken += worker.finish()
    return taken


@contextmanager
def _worker(folder: Path) -> Iterator[Worker]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with Popen([sys.executable, "-c", START], stdin=PIPE, stdout=PIPE, env=env) as process:  # noqa: S603  (our own code)
        try:
            yield Worker(process, folder)
        finally:
            process.kill()
            with suppress(BrokenPipeError):
                assert process.stdin is not None
                process.stdin.close()


def serve() -> None:
    """The child: stages each object that comes in and answers with its lines."""
    source: IO[bytes] = sys.stdin.buffer
    reading, folder, name = pickle.load(source)  # noqa: S301  (written by our own parent)
    staging = Staging(Path(folder), name)
    for line in source:
        told = orjson.loads(line)
        path = Path(told["path"])
        taken = stage_object(LakeObject(**told["object"]), path.read_bytes(), reading, staging)
        path.unlink()
        sys.stdout.buffer.write(orjson.dumps([taken.lines, taken.unreadable]) + b"\n")
        sys.stdout.buffer.flush()
    staging.flush()
