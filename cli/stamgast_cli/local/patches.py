"""What the pinned emulator lacks and this process adds to it; `stamgast doctor` lists each one."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

PINNED = "1.5.33"


@dataclass(frozen=True)
class Patch:
    """One difference from the emulator as published."""

    name: str
    why: str
    apply: Callable[[], None]


PATCHES: tuple[Patch, ...] = ()


def apply() -> None:
    """Apply every patch; they touch private names, so another release is refused."""
    found = version("ministack")
    if found != PINNED:
        raise SystemExit(f"the patches were written for ministack {PINNED}, not {found}")
    for patch in PATCHES:
        patch.apply()
