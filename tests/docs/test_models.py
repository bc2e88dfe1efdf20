"""The page on models names every key of `models.yaml` and every default feature as it is."""

import re
from pathlib import Path

import pytest

from stamgast.models.declaration import Kind
from stamgast.models.features import DEFAULT_FEATURES, FEATURE_DOCS
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast.workspace.model_schema import (
    ClustersPart,
    ContractPart,
    ExperimentPart,
    ModelPart,
    RecommendPart,
)
from stamgast.workspace.schema import Part

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


def test_every_key_of_a_model_is_explained() -> None:
    missing = [name for name in ModelPart.model_fields if f"`{name}`" not in PAGE]
    assert not missing


def test_every_default_feature_stands_there_as_it_is() -> None:
    rows = (
        f"| `{name}` | `{text}` | {FEATURE_DOCS[name]} |" for name, text in DEFAULT_FEATURES.items()
    )
    assert not [row for row in rows if row not in PAGE]


KINDS_PAGE = (Path(__file__).parents[2] / "docs" / "model-kinds.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", KINDS_PAGE, re.DOTALL)


@pytest.mark.parametrize("part", [ContractPart, RecommendPart, ExperimentPart, ClustersPart])
def test_every_key_of_a_kinds_section_is_explained(part: type[Part]) -> None:
    told = KINDS_PAGE + PAGE
    assert not [name for name in part.model_fields if f"`{name}`" not in told]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_named(kind: Kind) -> None:
    assert f"`{kind}`" in PAGE


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_kinds_compile(example: str) -> None:
    sources = "sources: {shop: {name: Shop}}"
    told = compile_files({"models.yaml": example, "sources.yaml": sources, "segments.yaml": ""})
    assert workspace_of(told).models
