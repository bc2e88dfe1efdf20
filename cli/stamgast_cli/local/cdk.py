"""The real CDK command line, pointed at the emulator: bootstrap, synthesis and deployment."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from stamgast_cli.deployment import session
from stamgast_cli.errors import DeployError
from stamgast_cli.local.emulator import Emulator
from stamgast_cli.local.lock import waited
from stamgast_cli.local.loopback import ACCOUNT, REGION, local_environment
from stamgast_cli.local.places import Places

STACKS = ("Stamgast-local-Data", "Stamgast-local-Platform")
PARTS = ("app.py", "cdk.json", "infra", "layers", "functions")
GENERATED = {"__pycache__", ".mypy_cache", ".ruff_cache"}
LAST_WORDS = 25


def bootstrap(emulator: Emulator, places: Places) -> None:
    """Make the CDK's own bucket and roles, once a state of the emulator."""
    if _stack_status(emulator, "CDKToolkit") is not None:
        return
    with tempfile.TemporaryDirectory() as folder:  # a cdk.json nearby would be synthesised first
        _cdk(emulator, places, ["bootstrap", f"aws://{ACCOUNT}/{REGION}", "--quiet"], Path(folder))


def synthesise(emulator: Emulator, places: Places) -> None:
    """Write the templates and assets of the environment `local`, unless they are up to date.

    One process at a time, for homes may share them.
    """
    with waited(places.assembly.with_suffix(".lock")):
        _synthesise(emulator, places, sources_digest(places.root))


def _synthesise(emulator: Emulator, places: Places, digest: str) -> None:
    if places.synthesised.exists() and places.synthesised.read_text(encoding="utf-8") == digest:
        return
    shutil.rmtree(places.assembly, ignore_errors=True)
    places.assembly.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["synth", "--quiet", "--context", "environment=local"]
    _cdk(emulator, places, [*arguments, "--output", str(places.assembly)], places.root)
    places.synthesised.write_text(digest, encoding="utf-8")


def deploy(emulator: Emulator, places: Places) -> None:
    """Deploy both stacks as synthesised; what has not changed is left alone."""
    arguments = ["deploy", *STACKS, "--app", str(places.assembly), "--require-approval", "never"]
    _cdk(emulator, places, [*arguments, "--progress", "events"], places.home)
    places.deployed.write_text(places.synthesised.read_text(encoding="utf-8"), encoding="utf-8")


def is_current(emulator: Emulator, places: Places) -> bool:
    """Return whether exactly this code is deployed already."""
    return (
        places.deployed.exists()
        and places.deployed.read_text(encoding="utf-8") == sources_digest(places.root)
        and all(_stack_status(emulator, name) in _GOOD for name in STACKS)
    )


_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def sources_digest(root: Path) -> str:
    """Return a hash of everything that templates and assets are made from."""
    told = hashlib.sha256()
    for path in sorted(_sources(root)):
        told.update(str(path.relative_to(root)).encode() + b"\0")
        told.update(hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()


def _sources(root: Path) -> Iterator[Path]:
    for part in PARTS:
        place = root / part
        if place.is_file():
            yield place
        for folder, folders, files in os.walk(place):
            folders[:] = [name for name in folders if name not in GENERATED]
            yield from (Path(folder) / name for name in files if not name.endswith(".pyc"))


def _stack_status(emulator: Emulator, name: str) -> str | None:
    client = session(emulator.endpoint_url).client(
        "cloudformation", endpoint_url=emulator.endpoint_url
    )
    for stack in client.describe_stacks()["Stacks"]:
        if stack["StackName"] == name:
            return str(stack["StackStatus"])
    return None


def _cdk(emulator: Emulator, places: Places, arguments: Sequence[str], folder: Path) -> None:
    if not places.cdk.exists():
        raise DeployError("the CDK command line is not installed", hint="Run `make setup`.")
    environment = local_environment(emulator.endpoint_url)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    environment["CI"] = "true"
    done = subprocess.run(  # noqa: S603  the pinned CLI with arguments of our own
        [str(places.cdk), *arguments, "--no-notices", "--no-color"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    log = places.home / "cdk.log"
    with log.open("a", encoding="utf-8") as written:
        written.write(done.stdout)
    if done.returncode:
        words = "\n".join(done.stdout.strip().splitlines()[-LAST_WORDS:])
        raise DeployError(f"cdk {arguments[0]} failed:\n{words}", hint=f"All of it is in {log}.")
