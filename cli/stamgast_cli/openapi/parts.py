"""What both descriptions are put together from."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Json = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"


def heading(title: str, text: str) -> Json:
    """The beginning of a document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1",
            "description": text,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The root of the host that `stamgast up` tells."}],
    }


def schemas(models: Iterable[type[BaseModel]]) -> Json:
    """The JSON Schemas of models, by name."""
    _, told = models_json_schema(
        [(model, "validation") for model in models], ref_template=REFERENCE, by_alias=True
    )
    found: Json = told["$defs"]
    return found


def content(model: type[BaseModel]) -> Json:
    """A JSON body of a model."""
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}


def answer(text: str, model: type[BaseModel]) -> Json:
    """One answer of an operation."""
    return {"description": text, "content": content(model)}


def parameter(name: str, text: str, *, place: str = "query", **schema: Any) -> Json:
    """One parameter of an operation."""
    told = {"name": name, "in": place, "description": text, "schema": {"type": "string", **schema}}
    return told | {"required": True} if place == "path" else told
