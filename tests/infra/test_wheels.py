"""The layers fit Lambda, bring each package once, and are all that a handler needs to import."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from infra.wheels import (
    LAYERS,
    NEVER_IMPORTED,
    TOGETHER,
    UNZIPPED_LIMIT,
    build,
    pinned,
    weigh,
)
from tests.infra.assembly import FUNCTIONS, ROOT

OURS = ("domain", "aws", "lake", "learn")
OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py")
LIVE = ("collect_events", "process_events", "drain_parked", "look_up_profile")
LEARNING = ("score_profiles", "train_links", "train_model")
IS_LIKE_LAMBDA = sys.platform == "linux" and sys.version_info[:2] == (3, 13)
IMPORT = """
import runpy, sys
functions, layers = sys.argv[1].split(","), sys.argv[2:]
sys.path[:0] = layers
for folder in functions:
    sys.path.insert(0, folder)
    assert callable(runpy.run_path(folder + "/handler.py")["handler"]), folder
    sys.path.remove(folder)
"""
ON_USE = """
import duckdb, stamgast_learn.run, skops.io
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from stamgast_learn.kinds import learn_run, score_run
"""

pytestmark = [pytest.mark.enable_socket, pytest.mark.xdist_group("wheels")]


@pytest.fixture(scope="session")
def for_lambda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layers as `make layers` builds them."""
    return _built(tmp_path_factory.mktemp("lambda"), "aarch64-manylinux_2_28")


@pytest.fixture(scope="session")
def for_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same layers for the processor at hand, which can import them."""
    return _built(tmp_path_factory.mktemp("here"), f"{platform.machine()}-manylinux_2_28")


@pytest.fixture(scope="session")
def sizes(for_lambda: Path) -> dict[str, int]:
    """Bytes of each third-party layer, and of our own together."""
    ours = sum(weigh(ROOT / "layers" / layer) for layer in OURS)
    return {"ours": ours, **{wheels.name: weigh(for_lambda / wheels.name) for wheels in LAYERS}}


def _built(into: Path, target: str) -> Path:
    for wheels in LAYERS:
        build(wheels, into=into, platform=target)
    return into


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_with_all_its_layers_fits_lambda(name: str, sizes: dict[str, int]) -> None:
    wheels = layers_of(name)[0]
    brought = sum(sizes[layer] for layer in (*wheels, "ours"))
    assert brought + weigh(ROOT / "functions" / name) <= UNZIPPED_LIMIT


def layers_of(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The third-party layers of a function, and our own."""
    if name in LEARNING:
        return ("learn",), ("domain", "aws", "learn")
    return (("api",), OURS[:2]) if name in LIVE else (("api", "lake"), OURS[:3])


def test_no_package_is_in_two_layers_of_one_function(for_lambda: Path) -> None:
    api, lake = (
        {path.name for path in (for_lambda / name / "python").iterdir()} for name in ("api", "lake")
    )
    assert not api & lake
    assert TOGETHER == (("api", "lake"), ("learn",))


def test_what_is_left_out_is_pinned_somewhere() -> None:
    assert {name for name, _ in pinned("lake")} >= NEVER_IMPORTED


@pytest.mark.skipif(not IS_LIKE_LAMBDA, reason="needs Linux and Python 3.13 to import the layers")
@pytest.mark.parametrize("wheels", [*TOGETHER, ("api",)], ids="+".join)
def test_handlers_import_with_their_layers_and_the_runtimes_packages_alone(
    wheels: tuple[str, ...], for_this_machine: Path, tmp_path: Path
) -> None:
    """Those of one set of layers in one process: each finds what any other finds, and no more.

    What learns also finds what it imports on use only: the engine and scikit-learn's estimators.
    """
    names = [name for name in FUNCTIONS if layers_of(name)[0] == wheels]
    own = layers_of(names[0])[1]
    layers = [for_this_machine / layer / "python" for layer in wheels]
    ours = [ROOT / "layers" / layer / "python" for layer in own]
    functions = ",".join(str(ROOT / "functions" / name) for name in names)
    path = map(str, [*ours, *layers, _runtime(tmp_path)])
    told = IMPORT + (ON_USE if "learn" in wheels else "")
    command = [sys.executable, "-I", "-S", "-B", "-c", told, functions, *path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_each_function_has_a_set_of_layers_that_is_tried() -> None:
    assert {layers_of(name)[0] for name in FUNCTIONS} == {*TOGETHER, ("api",)}


def _runtime(folder: Path) -> Path:
    """Return a folder with what the Lambda runtime of Python brings itself."""
    import boto3  # the environment's own, of which the runtime has the like

    installed = Path(boto3.__file__).parents[1]
    for name in OF_THE_RUNTIME:
        (folder / name).symlink_to(installed / name)
    return folder
