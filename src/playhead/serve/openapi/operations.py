"""What the API can be asked, one entry a method and path."""

from typing import Any, Final, Literal

import msgspec

from playhead.config import Config
from playhead.serve.openapi.parameters import Parameter, Schema

Kind = Literal["read", "admin", "begin", "send", "open"]
"""Who may: a token or session that reads, an admin token, a token without a session, a write key (or
none), anybody."""
Forms = tuple[str, ...]
ROWS: Final[Forms] = ("application/json", "text/csv", "application/x-ndjson", "application/vnd.apache.parquet")  # fmt: skip
JSON: Final[Forms] = ("application/json",)


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent: a schema by media type."""

    said: str
    content: dict[str, Schema]
    required: bool = True


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path."""

    path: str
    said: str
    """One sentence."""
    data: Schema
    """What `data` of the answer holds; of doors and texts the whole answer."""
    tag: str
    method: str = "get"
    kind: Kind = "read"
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    forms: Forms = ROWS
    bare: bool = False
    """Whether the answer is `data` itself, without `meta` beside it."""
    status: int = 200
    also: tuple[int, ...] = ()
    """Further statuses that answer the same."""
    faults: tuple[int, ...] = (400, 401, 403, 408, 413, 429, 500, 503)

    @property
    def id(self) -> str:
        """Return a name for generated clients: `get_v1_views_view_id`."""
        words = "".join(c if c.isalnum() else "_" for c in f"{self.method}{self.path}")
        return "_".join(word for word in words.split("_") if word)


def rows_of(item: Schema) -> Schema:
    """Return the schema of a list of rows."""
    return {"type": "array", "items": item}


def row(**fields: Any) -> Schema:
    """Return the schema of an object with these fields; each is a type or a schema."""
    properties = {name: _typed(field) for name, field in fields.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


def loose(**fields: Any) -> Schema:
    """Return the schema of an object that has these fields among others, none of them always."""
    properties = {name: _typed(field) for name, field in fields.items()}
    return {"type": "object", "properties": properties}


def project_files(config: Config) -> Body:
    """Return the body that holds a project: what a build and a deployment take."""
    part: Schema = {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "description": "One part a file, its path in the project as filename.",
    }
    return Body(
        said=f"The files of a project, at most {config.pipes.max_project_bytes} bytes.",
        content={
            "multipart/form-data": {"type": "object", "properties": {"data_project://": part}}
        },
    )


def _typed(field: Any) -> Schema:
    if isinstance(field, dict):
        return field
    kind = str(field)
    if kind.endswith("?"):
        return {"type": [kind[:-1], "null"]}
    if kind == "time":
        return {"type": "string", "format": "date-time"}
    return {"type": kind}
