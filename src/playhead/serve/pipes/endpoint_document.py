"""The OpenAPI document of a project's endpoints, as far as a token may read them."""

import re
from collections.abc import Iterable
from typing import Any, Final

from playhead import __version__
from playhead.project.resources import Pipe
from playhead.template.rendering import Parameter

_INTEGER: Final = re.compile(r"U?Int(?:eger|\d*)")
_TEXTS: Final = {"DateTime": "date-time", "DateTime64": "date-time", "Date": "date", "UUID": "uuid"}
_SAID: Final = {
    400: "A parameter is missing or not valid; the sentence says which.",
    403: "The token is not known, or may not read this endpoint.",
    404: "There is no such endpoint.",
    408: "The query took longer than its limit.",
    413: "The answer is larger than its limit.",
    429: "Too many requests; Retry-After says when to come again.",
}


def document(
    pipes: Iterable[tuple[Pipe, tuple[Parameter, ...]]], *, base_path: str = ""
) -> dict[str, Any]:
    """Return the document of these endpoints."""
    paths = {
        f"/v0/pipes/{pipe.name}.json": {"get": _operation(pipe, parameters)}
        for pipe, parameters in pipes
    }
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Endpoints", "version": __version__,
            "description": "Endpoints of the project, as far as the token may read them.",
        },
        "servers": [{"url": base_path or "/"}],
        "security": [{"token": []}, {"tokenParameter": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "tokenParameter": {"type": "apiKey", "in": "query", "name": "token"},
            },
            "schemas": {"Answer": _ANSWER, "Error": _ERROR},
        },
    }  # fmt: skip


def _operation(pipe: Pipe, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    answer = {"$ref": "#/components/schemas/Answer"}
    error = {"$ref": "#/components/schemas/Error"}
    responses: dict[str, Any] = {
        "200": {
            "description": "The rows.",
            "content": {"application/json": {"schema": answer}},
        }
    }
    for status, said in _SAID.items():
        responses[str(status)] = {
            "description": said,
            "content": {"application/json": {"schema": error}},
        }
    return {
        "operationId": pipe.name,
        "summary": pipe.description.strip().partition("\n")[0] or pipe.name,
        "description": pipe.description.strip(),
        "tags": list(pipe.tags),
        "parameters": [_parameter(one) for one in parameters],
        "responses": responses,
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": one.name,
        "in": "query",
        "required": one.required,
        "schema": schema_of(one),
    }
    if one.description:
        said["description"] = one.description
    if one.example:
        said["example"] = one.example
    if one.type == "Array":
        said["style"], said["explode"] = "form", False
    return said


def schema_of(one: Parameter) -> dict[str, Any]:
    """Return the schema of a parameter's values."""
    one_value = _typed((one.item_type or "String") if one.type == "Array" else one.type)
    if one.format:
        one_value["format"] = one.format
    if one.enum:
        one_value["enum"] = list(one.enum)
    said = {"type": "array", "items": one_value} if one.type == "Array" else one_value
    if one.has_default and one.default is not None:
        said["default"] = one.default
    return said


def _typed(name: str) -> dict[str, Any]:
    if _INTEGER.fullmatch(name):
        return {"type": "integer"}
    if name.startswith("Float"):
        return {"type": "number"}
    if name in {"Boolean", "bool"}:
        return {"type": "boolean"}
    if name in _TEXTS:
        return {"type": "string", "format": _TEXTS[name]}
    return {"type": "string"}


_ANSWER: Final = {
    "type": "object",
    "properties": {
        "meta": {"type": "array", "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "type": {"type": "string"}},
        }},
        "data": {"type": "array", "items": {"type": "object"}},
        "rows": {"type": "integer"},
        "rows_before_limit_at_least": {"type": "integer"},
        "statistics": {"type": "object", "properties": {
            "elapsed": {"type": "number"}, "rows_read": {"type": "integer"},
            "bytes_read": {"type": "integer"},
        }},
    },
    "required": ["meta", "data", "rows"],
}  # fmt: skip
_ERROR: Final = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "documentation": {"type": "string"}},
    "required": ["error"],
}
