"""The synthesis of one environment with the security rules on, by jsii's process of Node."""

import atexit
import json
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.application import compose
from infra.environments import Environment
from infra.sources import Sources
from tests.infra.assembly import FUNCTIONS, ROOT

LAYERS = (
    "layers/domain",
    "layers/aws",
    "layers/lake",
    "layers/learn",
    "build/layers/api",
    "build/layers/lake",
    "build/layers/learn",
)


def synthesised(environment: Environment) -> tuple[Path, str, str]:
    """Return the folder of an environment's assembly, and the names of its two stacks."""
    folder = Path(mkdtemp(prefix=f"assembly-{environment.name}-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    app = App(outdir=str(folder / "cdk.out"), context=_context())
    data, platform = compose(app, environment=environment, sources=_sources(folder))
    check(app)
    return folder / "cdk.out", data.stack_name, platform.stack_name


def check(app: App) -> None:
    """Write an assembly with the rules on; what they find is read from their report."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise


def _context() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return told


def _sources(folder: Path) -> Sources:
    for name in FUNCTIONS:
        place = folder / "functions" / name
        place.mkdir(parents=True)
        (place / "handler.py").write_text('"""Stands in."""\n', encoding="utf-8")
    for layer in LAYERS:
        place = folder / layer / "python"
        place.mkdir(parents=True)
        (place / "README").write_text(layer, encoding="utf-8")
        (place / "stands_in.py").write_text('"""Stands in."""\n', encoding="utf-8")
    return Sources(root=folder)
