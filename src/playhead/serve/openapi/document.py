"""The OpenAPI document, from operations to JSON."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead import __version__
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.model.view import ViewRow
from playhead.query.views import LIST_COLUMNS, SHOWN_AS, TIMES
from playhead.serve.openapi.doors import EVENT
from playhead.serve.openapi.operations import Operation
from playhead.serve.openapi.parameters import Schema

_SAID: Final = (
    "Real-time analytics for video streaming. Answers are `{data, meta}`; errors are "
    "`{code, message, hint, docs}` with stable codes. Times are UTC in ISO 8601, durations "
    "milliseconds, rates kbit/s unless a name says otherwise."
)
_TIME: Final = {"type": "string", "format": "date-time"}
_REASONS: Final = {
    400: "A parameter or the body is not valid; the sentence names it.",
    401: "No token, or one that is not known.",
    403: "The token may not do this.",
    404: "There is no such thing, or none this token may see.",
    405: "The address does not take this method; `Allow` lists those it takes.",
    408: "It took longer than its limit.",
    409: "It does not go together with what is there.",
    410: "The door is closed; stop sending.",
    411: "The body has no length.",
    413: "The body or the result is larger than its limit.",
    415: "The body is packed in a way that is not known.",
    422: "The request was read and cannot be done.",
    429: "Too many requests; `Retry-After` says when to come again.",
    431: "The header fields are too large.",
    500: "A fault of the server; its log says more.",
    503: "Not now; `Retry-After` says when to come again.",
}
_HEADERS: Final = {
    429: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    405: {"Allow": {"description": "Methods.", "schema": {"type": "string"}}},
}
_SECURITY: Final[dict[str, list[dict[str, list[str]]]]] = {
    "read": [{"token": []}, {"tokenParameter": []}, {"session": []}],
    "admin": [{"token": []}, {"tokenParameter": []}, {"session": []}],
    "begin": [{"token": []}, {"tokenParameter": []}],
    "send": [{}, {"token": []}],
    "open": [],
}


class OpenApi:
    """Serves the document; it is encoded once."""

    def __init__(self, operations: Iterable[Operation], config: Config) -> None:
        made = document(operations, base_path=config.server.base_path)
        self._body = msgspec.json.encode(made)

    async def document(self, _: Request) -> Response:
        """`GET /openapi.json`."""
        headers = {"cache-control": "no-cache", "access-control-allow-origin": "*"}
        return Response(self._body, media_type="application/json", headers=headers)


def document(operations: Iterable[Operation], *, base_path: str = "") -> Schema:
    """Return the document.

    Args:
        operations: What is in it, in order.
        base_path: Path prefix of the server behind a proxy.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Playhead", "version": __version__, "description": _SAID,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_path or "/"}],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _schemes()},
    }  # fmt: skip


def _operation(operation: Operation) -> Schema:
    said: Schema = {
        "operationId": operation.id,
        "summary": operation.said,
        "tags": [operation.tag],
        "security": _SECURITY[operation.kind],
        "responses": _responses(operation),
    }
    if operation.parameters:
        said["parameters"] = [one.document() for one in operation.parameters]
    if operation.body is not None:
        said["requestBody"] = {
            "description": operation.body.said,
            "required": operation.body.required,
            "content": {
                kind: {"schema": schema} for kind, schema in operation.body.content.items()
            },
        }
    return said


def _responses(operation: Operation) -> Schema:
    answer: Schema = operation.data
    if not operation.bare:
        answer = {
            "type": "object",
            "properties": {"data": operation.data, "meta": _ref("Meta")},
            "required": ["data", "meta"],
        }
    content: Schema = {
        form: {"schema": answer} if form == "application/json" else {"schema": {}}
        for form in operation.forms
    }
    said = {"description": operation.said, **({"content": content} if content else {})}
    responses: Schema = {str(status): said for status in (operation.status, *operation.also)}
    for status in sorted({*operation.faults, 405}):
        responses[str(status)] = {
            "description": _REASONS[status],
            "content": {"application/json": {"schema": _ref("Error")}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
    return responses


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> Schema:
    return {
        "Error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "enum": codes()},
                "message": {"type": "string"}, "hint": {"type": "string"}, "docs": {"type": "string"},
            },
            "required": ["code", "message", "hint"],
        },
        "Meta": {
            "type": "object",
            "description": "What the answer is about and how old it is.",
            "properties": {
                "metric": {"type": ["string", "null"]}, "unit": {"type": ["string", "null"]},
                "measurement": {"type": ["string", "null"]}, "from": _TIME, "to": _TIME,
                "interval": {"type": ["string", "null"]}, "timezone": {"type": "string"},
                "freshness_ms": {"type": ["integer", "null"]},
                "newest_event_at": {"type": ["string", "null"], "format": "date-time"},
                "provisional": {"type": "boolean"}, "more": {"type": "boolean"},
                "next_cursor": {"type": ["string", "null"]},
            },
        },
        "View": view_schema(),
        "Event": EVENT,
    }  # fmt: skip


def codes() -> list[str]:
    """Return the code of every error, sorted."""
    found = {PlayheadError.code}
    todo: list[type[PlayheadError]] = [PlayheadError]
    while todo:
        for kind in todo.pop().__subclasses__():
            found.add(kind.code)
            todo.append(kind)
    return sorted(found)


def view_schema() -> Schema:
    """Return the schema of a view as the API shows it, from the row's own types."""
    _, components = msgspec.json.schema_components([ViewRow])
    kinds = dict(zip(ViewRow.__struct_fields__, components["ViewRow"]["prefixItems"], strict=True))
    properties = {
        SHOWN_AS.get(name, name): _TIME if name in TIMES else kinds[name] for name in LIST_COLUMNS
    }
    return {"type": "object", "properties": properties}


def _schemes() -> Schema:
    return {
        "token": {"type": "http", "scheme": "bearer"},
        "tokenParameter": {"type": "apiKey", "in": "query", "name": "token"},
        "session": {"type": "apiKey", "in": "cookie", "name": "playhead_session"},
    }
