"""A folder of Python as an asset that carries its compiled files, made while synthesising."""

import compileall
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

import jsii
from aws_cdk import BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

RUNTIME = (3, 13)
"""The version whose compiled files Lambda's runtime takes."""
MOUNTED = "/opt"
GENERATED = ("__pycache__", "*.pyc", "*.egg-info")


@jsii.implements(ILocalBundling)
class Compiling:
    """Copies a folder and compiles it; without Docker, which it never asks for.

    Another Python than Lambda's copies only: its compiled files would not be read.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def try_bundle(self, output_dir: str, *_: Any, **_options: Any) -> bool:
        """Fill the output folder, and say that it is done."""
        compiled(Path(self._folder), Path(output_dir))
        return True


def compiled(folder: Path, into: Path) -> None:
    """Copy the sources of a folder, each with its compiled file beside it.

    A function's disk cannot be written, so that what is not compiled here is compiled at every
    cold start. `unchecked`: what lies under `/opt` never changes, so nobody asks whether it has.
    """
    ignored = shutil.ignore_patterns(*GENERATED)
    shutil.copytree(folder, into, dirs_exist_ok=True, ignore=ignored)
    if sys.version_info[:2] == RUNTIME:
        compileall.compile_dir(
            into,
            quiet=1,
            stripdir=str(into),
            prependdir=MOUNTED,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )


def compiled_code(folder: str, exclude: list[str]) -> lambda_.Code:
    """Return the folder as code with its compiled files; its hash is that of the sources."""
    local: Any = Compiling(folder)  # jsii's interface names more options than any bundler needs
    nowhere = DockerImage.from_registry("docker-is-never-asked")
    return lambda_.Code.from_asset(
        folder, exclude=exclude, bundling=BundlingOptions(image=nowhere, local=local)
    )
