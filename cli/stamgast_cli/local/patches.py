"""What the pinned emulator lacks and this process adds to it; `stamgast doctor` lists each one."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

PINNED = "1.5.33"


@dataclass(frozen=True)
class Patch:
    """One difference from the emulator as published."""

    name: str
    why: str
    apply: Callable[[], None]


def _name_glue_databases() -> None:
    from ministack.core import iam_actions

    original: Callable[..., str] = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> str:
        told = original(service, method, path, headers, body, *rest)
        target = headers.get("x-amz-target", "")
        if service != "glue" or not target.endswith("Database"):
            return told
        return told.replace(":table/", ":database/")

    iam_actions.extract_resource_arn = extract_resource_arn


PATCHES: tuple[Patch, ...] = (
    Patch(
        name="IAM names a Glue database as a database",
        why="with permissions enforced, GetDatabase was checked against a table of that name",
        apply=_name_glue_databases,
    ),
)


def apply() -> None:
    """Apply every patch; they touch private names, so another release is refused."""
    found = version("ministack")
    if found != PINNED:
        raise SystemExit(f"the patches were written for ministack {PINNED}, not {found}")
    for patch in PATCHES:
        patch.apply()
