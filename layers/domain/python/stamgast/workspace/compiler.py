"""From a folder of YAML to the compiled workspace: validated whole, every fault with its line."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.columns import Schema
from stamgast.segments.language.tree import Type
from stamgast.segments.live.freshness import traits_that_wait
from stamgast.workspace.consent_checks import CONSENT, consent_faults
from stamgast.workspace.consent_schema import CONSENT_FILES
from stamgast.workspace.entries import Entry, entry_of
from stamgast.workspace.identity_checks import identity_faults
from stamgast.workspace.language import LanguageCompiler, lives
from stamgast.workspace.model_kinds import Seeds
from stamgast.workspace.model_schema import MODEL_FILES, ModelPart
from stamgast.workspace.models import ModelCompiler
from stamgast.workspace.retention_checks import RETENTION, retention_faults
from stamgast.workspace.retention_schema import RETENTION_FILES
from stamgast.workspace.schema import FILES, Part
from stamgast.workspace.segment_schema import SEGMENT_FILES, ComputedPart, SegmentPart
from stamgast.workspace.shapes import message_of
from stamgast.workspace.yaml_files import Fault, WorkspaceError, YamlFile, parse_file

__all__ = ["Fault", "WorkspaceError", "compile_files"]

SEGMENTS, TRAITS, MODELS = "segments.yaml", "traits.yaml", "models.yaml"
SHAPES = {**FILES, **SEGMENT_FILES, **MODEL_FILES, **CONSENT_FILES, **RETENTION_FILES}


def compile_files(texts: Mapping[str, str]) -> dict[str, Any]:
    """The compiled workspace of `{file name: YAML text}`; files left out take their defaults.

    Raises WorkspaceError with every fault of every file at once.
    """
    known = ", ".join(sorted(SHAPES))
    unknown = sorted(set(texts) - set(SHAPES))
    faults = [Fault(name, 1, "", f"unknown file; known are {known}") for name in unknown]
    files = {name: parse_file(name, texts.get(name, "{}"), faults) for name in SHAPES}
    compiled: dict[str, Any] = {}
    for name, file in files.items():
        if file is not None:
            told = _validated(SHAPES[name], file, faults)
            compiled |= {"consent": told} if name == CONSENT else told
    compiled |= _language(files, faults)
    if (identity := files["identity.yaml"]) is not None:
        faults.extend(identity_faults(identity))
    faults.extend(consent_faults(files))
    if (retention := files[RETENTION]) is not None:
        faults.extend(retention_faults(retention, compiled))
    if faults:
        raise WorkspaceError(faults)
    text = json.dumps(compiled, sort_keys=True, ensure_ascii=False)
    return {**compiled, "version": sha256(text.encode()).hexdigest()[:12]}


def _language(files: Mapping[str, YamlFile | None], faults: list[Fault]) -> dict[str, Any]:
    """Computed traits and rules as trees; of what has a fault of its form, the others' faults."""
    compiler, made = LanguageCompiler(faults), {}
    computed: list[ComputedTrait] = []
    if (traits := files[TRAITS]) is not None:
        computed = compiler.computed(traits, _entries(traits, "traits", ComputedPart))
        waits = traits_that_wait(computed)
        made["traits"] = [{**one.document, **lives(waits[one.name])} for one in computed]
        # A trait that has a fault of its own is no second fault where a rule names it.
        kinds = dict.fromkeys(_names(traits, "traits"), Type.ANY)
        kinds |= {one.name: one.type for one in computed}
    if (segments := files[SEGMENTS]) is not None and traits is not None:
        models = files[MODELS]
        scores = frozenset(_names(models, "models"))
        purposes = frozenset(_names(files[CONSENT], "purposes"))
        schema = Schema(frozenset(_names(segments, "segments")), kinds, scores, purposes)
        told = _entries(segments, "segments", SegmentPart)
        made["segments"] = compiler.segments(segments, told, schema, waits)
        if models is not None:
            seeds = Seeds.of(schema.segments, made["segments"])
            names = ModelCompiler(models, Schema(computed=kinds), seeds, faults)
            made["models"] = names.documents(_entries(models, "models", ModelPart))
    return made


def _names(file: YamlFile | None, part: str) -> dict[str, Any]:
    told = file.document.get(part) if file and isinstance(file.document, dict) else None
    return {str(name): one for name, one in told.items()} if isinstance(told, dict) else {}


def _entries(file: YamlFile, part: str, shape: type[Part]) -> dict[str, Entry]:
    return {name: entry_of(shape, told) for name, told in _names(file, part).items()}


def _faults(shape: Any, file: YamlFile, error: ValidationError) -> Iterator[Fault]:
    """Each of pydantic's errors; of a name and what stands under it they may be alike."""
    for fault in error.errors(include_url=False):
        place = tuple(str(step) for step in fault["loc"] if step != "[key]")
        yield file.fault(place, message_of(shape, fault))


def _validated(shape: Any, file: YamlFile, faults: list[Fault]) -> dict[str, Any]:
    try:
        validated: dict[str, Any] = shape.model_validate(file.document).model_dump(mode="json")
    except ValidationError as error:
        faults.extend(dict.fromkeys(_faults(shape, file, error)))
        return {}
    return validated
