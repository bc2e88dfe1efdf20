"""The page on models names every key of `models.yaml` and every default feature as it is."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
from stamgast.workspace.yaml_files import WorkspaceError

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "models.md").read_text(encoding="utf-8")


def test_every_key_of_a_model_is_explained() -> None:
    missing = [name for name in ModelPart.model_fields if f"`{name}`" not in PAGE]
    assert not missing


def test_every_default_feature_stands_there_as_it_is() -> None:
    rows = (
        f"| `{name}` | `{text}` | {FEATURE_DOCS[name]} |" for name, text in DEFAULT_FEATURES.items()
    )
    assert not [row for row in rows if row not in PAGE]


KINDS_PAGE = (DOCS / "model-kinds.md").read_text(encoding="utf-8")
EXAMPLES = [
    example
    for page in sorted(DOCS.glob("model*.md"))
    for example in re.findall(r"```ya?ml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.parametrize("part", [ContractPart, RecommendPart, ExperimentPart, ClustersPart])
def test_every_key_of_a_kinds_section_is_explained(part: type[Part]) -> None:
    told = KINDS_PAGE + PAGE
    assert not [name for name in part.model_fields if f"`{name}`" not in told]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_named(kind: Kind) -> None:
    assert f"`{kind}`" in PAGE


def compiled(example: str) -> Sequence[Mapping[str, Any]]:
    """The models of an example, as a workspace has them; raises WorkspaceError."""
    sources = "sources: {shop: {name: Shop}}"
    told = compile_files({"models.yaml": example, "sources.yaml": sources, "segments.yaml": ""})
    return workspace_of(told).models


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_compile(example: str) -> None:
    assert compiled(example)


def test_every_kind_with_a_section_has_an_example() -> None:
    told = {model["kind"] for example in EXAMPLES for model in compiled(example)}
    assert told == set(Kind) - {Kind.LOOK_ALIKE}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_with_a_key_that_there_is_not_would_be_caught(example: str) -> None:
    """Each key of a model in its turn, under another name."""
    keys = [key for key in ModelPart.model_fields if re.search(rf"\b{key}:", example)]
    assert "kind" in keys
    for key in keys:
        with pytest.raises(WorkspaceError, match=f"no_{key}"):
            compiled(re.sub(rf"\b{key}:", f"no_{key}:", example))
