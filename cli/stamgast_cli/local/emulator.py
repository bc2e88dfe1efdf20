"""Starts, finds and stops the process of the local deployment."""

import json
import os
import shutil
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

import httpx

from stamgast_cli.errors import EmulatorError
from stamgast_cli.local.loopback import local_environment
from stamgast_cli.local.places import Places

START_SECONDS = 60
STOP_SECONDS = 60
# A function must not see what the shell of whoever started it happens to hold.
INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "SSL_CERT_FILE", "TZ", "USER")


@dataclass(frozen=True)
class Emulator:
    """A running process and its three ports."""

    pid: int
    port: int
    ingest_port: int
    profile_port: int
    is_enforcing: bool = False

    @property
    def endpoint_url(self) -> str:
        """Where AWS clients reach the emulator."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ingest_url(self) -> str:
        """Where events go, at the root."""
        return f"http://127.0.0.1:{self.ingest_port}"

    @property
    def profile_url(self) -> str:
        """Where profiles are asked for, at the root."""
        return f"http://127.0.0.1:{self.profile_port}"


def running(places: Places) -> Emulator | None:
    """Return the emulator of these places if its process lives."""
    known = _last(places)
    return known if known and _is_alive(known.pid) else None


def start(places: Places, *, is_enforcing: bool = False) -> Emulator:
    """Start the emulator on the ports it last had if they are free; return when it answers."""
    places.home.mkdir(parents=True, exist_ok=True)
    if places.unclean.exists():
        wipe(places)
    places.data.mkdir(parents=True, exist_ok=True)
    (places.data / "tmp").mkdir(exist_ok=True)
    ports = _ports(_last(places))
    pid = _spawn(places, ports, is_enforcing=is_enforcing)
    emulator = Emulator(pid, *ports, is_enforcing=is_enforcing)
    places.process.write_text(json.dumps(asdict(emulator)), encoding="utf-8")
    _await_health(emulator, places)
    return emulator


def stop(places: Places) -> bool:
    """Stop the emulator gracefully, which saves its state; return whether it ran."""
    emulator = running(places)
    if emulator is None:
        return False
    os.kill(emulator.pid, signal.SIGTERM)
    if not _is_gone(emulator.pid, STOP_SECONDS):
        os.kill(emulator.pid, signal.SIGKILL)
        _is_gone(emulator.pid, 5)
    with suppress(ProcessLookupError):  # functions in the middle of their work outlive it
        os.killpg(emulator.pid, signal.SIGKILL)
    return True


def wipe(places: Places) -> None:
    """Forget everything the emulator stored: its objects and its state belong together."""
    shutil.rmtree(places.data, ignore_errors=True)
    places.routes.unlink(missing_ok=True)
    places.connection.unlink(missing_ok=True)


def variables(places: Places, port: int, *, is_enforcing: bool) -> dict[str, str]:
    """Return the environment of the emulator's process, which its Lambda workers inherit."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return local_environment(f"http://127.0.0.1:{port}", inherited) | {
        "STAMGAST_HOME": str(places.home),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "AUTH": "true" if is_enforcing else "false",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "ATHENA_ENGINE": "duckdb",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(places.data / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(places.data / "s3"),
        "TMPDIR": str(places.data / "tmp"),
        "LOG_LEVEL": os.environ.get("STAMGAST_EMULATOR_LOG_LEVEL", "WARNING"),
        "PYTHONWARNINGS": "ignore",
        # Models are trained side by side here: threads that wait for a neighbour's core only spin.
        "OMP_NUM_THREADS": "1",
    }


def _spawn(places: Places, ports: tuple[int, int, int], *, is_enforcing: bool) -> int:
    """Return the id of a process that outlives this one (which `subprocess` would warn of)."""
    command = [sys.executable, "-m", "stamgast_cli.local.serve", *(str(port) for port in ports)]
    written = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        command,
        variables(places, ports[0], is_enforcing=is_enforcing),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(places.log), written, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _await_health(emulator: Emulator, places: Places) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not _is_alive(emulator.pid):
            break
        try:
            if httpx.get(f"{emulator.endpoint_url}/_ministack/health", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise EmulatorError("the emulator did not start", hint=f"Its last words are in {places.log}.")


def _last(places: Places) -> Emulator | None:
    if not places.process.exists():
        return None
    return Emulator(**json.loads(places.process.read_text(encoding="utf-8")))


def _ports(last: Emulator | None) -> tuple[int, int, int]:
    if last and all(map(_is_free, (last.port, last.ingest_port, last.profile_port))):
        return last.port, last.ingest_port, last.profile_port
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports[0], ports[1], ports[2]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _is_alive(pid: int) -> bool:
    try:
        finished, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        finished = 0
    if finished:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _is_gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
