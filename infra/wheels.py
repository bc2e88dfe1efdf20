"""Put the third-party layers together for Lambda, without Docker: install, trim, weigh."""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
LAMBDA_PLATFORM = "aarch64-manylinux_2_28"
PYTHON = "3.13"
UNZIPPED_LIMIT = 262_144_000
"""Bytes of a function and all its layers (AWS Lambda quotas: 250 MB, unzipped)."""

NEVER_IMPORTED = frozenset({"markdown-it-py", "mdurl", "pygments", "rich"})
"""Packages that only command lines of the engine's libraries need."""

TRIMMED = (
    ".lock",
    "**/tests",
    "**/*.pyi",
    "**/__pycache__",
    "bin",
    "hive_metastore",  # another catalogue than ours
    "pyarrow/include",
    "pyarrow/includes",
    "pyarrow/src",
    "pyarrow/*.pyx",
    "pyarrow/*.pxi",
    "pyarrow/*.pxd",
    "pyarrow/_flight*",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python.so",  # the loader asks for the versioned name
    "pyarrow/libarrow_python.so.*.*",
    "splink/internals/files",  # scripts and pages of its charts
    "zstandard/_cffi*",  # CPython takes the C backend
    "zstandard/backend_cffi.py",
)


class LayerTooLargeError(ValueError):
    """Lambda would refuse a function with these layers."""


@dataclass(frozen=True, kw_only=True)
class Wheels:
    """One layer: its lock, and the layer below it whose packages it leaves out."""

    name: str
    below: str | None = None

    def requirements(self) -> str:
        """Return the hashed requirements of what this layer itself brings."""
        dropped = set(NEVER_IMPORTED)
        if self.below:
            dropped |= {name for name, _ in pinned(self.below)}
        return "\n".join(lines for name, lines in pinned(self.name) if name not in dropped)


LAYERS = (Wheels(name="api"), Wheels(name="lake", below="api"), Wheels(name="learn"))
TOGETHER = (("api", "lake"), ("learn",))
"""The third-party layers that one function is handed together; `learn` never meets the others."""


def pinned(layer: str) -> Iterator[tuple[str, str]]:
    """Yield name and lock lines, hashes included, of each package that a layer's lock pins."""
    lock = (ROOT / "requirements" / f"layer-{layer}.lock").read_text(encoding="utf-8")
    for entry in re.findall(r"(?m)^[a-z0-9][^\n]*(?:\n[ ]+--hash[^\n]*)*", lock):
        yield re.split(r"[=\[; ]", entry, maxsplit=1)[0], entry


def build(wheels: Wheels, *, into: Path, platform: str = LAMBDA_PLATFORM) -> int:
    """Fill `into/<name>/python` for a platform and return its size in bytes."""
    target = into / wheels.name / "python"
    shutil.rmtree(target, ignore_errors=True)
    with TemporaryDirectory() as folder:
        lock = Path(folder) / "requirements.txt"
        lock.write_text(wheels.requirements(), encoding="utf-8")
        _install(lock, target, platform)
    _trim(target)
    return weigh(target)


def weigh(folder: Path) -> int:
    """Return the bytes of all files in a folder, as Lambda counts them."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _install(lock: Path, target: Path, platform: str) -> None:
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    place = ["--python-platform", platform, "--python-version", PYTHON, "--target", str(target)]
    command = [sys.executable, "-m", "uv", "pip", "install", *options, *place, "-r", str(lock)]
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments only


def _trim(target: Path) -> None:
    for pattern in TRIMMED:
        for path in list(target.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def main() -> None:
    """Build every layer and refuse a sum that Lambda would refuse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "layers")
    parser.add_argument("--platform", default=LAMBDA_PLATFORM)
    options = parser.parse_args()
    sizes = {
        wheels.name: build(wheels, into=options.into, platform=options.platform)
        for wheels in LAYERS
    }
    for name, size in sizes.items():
        sys.stdout.write(f"{name}: {size:,} bytes\n")
    for names in TOGETHER:
        brought = sum(sizes[name] for name in names)
        if brought > UNZIPPED_LIMIT:
            told = " and ".join(names)
            raise LayerTooLargeError(f"{told}: {brought:,} bytes are over {UNZIPPED_LIMIT:,}")


if __name__ == "__main__":
    main()
