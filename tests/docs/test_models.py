"""The page on models names every key of `models.yaml` and every default feature as it is."""

from pathlib import Path

from stamgast.models.features import DEFAULT_FEATURES, FEATURE_DOCS
from stamgast.workspace.model_schema import ModelPart

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


def test_every_key_of_a_model_is_explained() -> None:
    missing = [name for name in ModelPart.model_fields if f"`{name}`" not in PAGE]
    assert not missing


def test_every_default_feature_stands_there_as_it_is() -> None:
    rows = (
        f"| `{name}` | `{text}` | {FEATURE_DOCS[name]} |" for name, text in DEFAULT_FEATURES.items()
    )
    assert not [row for row in rows if row not in PAGE]
