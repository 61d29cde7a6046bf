"""Publishing endpoints as operations."""

from typing import Final

from playhead.config import Config
from playhead.serve.openapi.operations import JSON, Body, Operation, loose, row
from playhead.serve.openapi.parameters import Schema, choice, path, text

_NAME: Final = "What it is called: letters, digits and `_`."
_SQL: Final = "The query; with `%` before it a template with parameters."
_FILE: Final = "Instead of `sql`: the text of a .pipe file."
_DESCRIPTION: Final = "What it is for; with `sql`."
_REPLACE: Final = "`true`: one that was published under this name makes way."
_CHECK: Final = "`true`: nothing is changed; the answer is what it would be."
_SWITCH: Final[Schema] = {"type": "string", "enum": ["true", "false"]}
_PROPERTIES: Final[Schema] = {
    "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "description": _NAME},
    "sql": {"type": "string", "description": _SQL},
    "pipe": {"type": "string", "description": _FILE},
    "description": {"type": "string", "description": _DESCRIPTION},
    "replace": {**_SWITCH, "description": _REPLACE},
    "check": {**_SWITCH, "description": _CHECK},
}
_BODY: Final[Schema] = {
    "type": "object", "properties": _PROPERTIES, "additionalProperties": False,
}  # fmt: skip
_MADE: Final = loose(
    name="string", type="string", endpoint="string?", url="string?", published="boolean",
    params={"type": "array"}, nodes={"type": "array"}, warnings={"type": "array"},
)  # fmt: skip


def operations(config: Config) -> tuple[Operation, ...]:
    """Return what changes the endpoints of a project."""
    most = config.pipes.max_body_bytes
    body = Body(
        said=f"The same in a body, at most {most} bytes; a text is the file.", required=False,
        content={
            "application/json": _BODY, "application/x-www-form-urlencoded": _BODY,
            "text/plain": {"type": "string"},
        },
    )  # fmt: skip
    return (
        Operation(
            path="/v0/pipes", method="post", tag="Pipes", kind="admin", forms=JSON, bare=True,
            said="Publish an endpoint in the live project.", data=_MADE, body=body,
            faults=(400, 403, 408, 409, 413, 429, 500, 503),
            parameters=(
                text("name", _NAME), text("sql", _SQL, examples=["SELECT 1 AS one"]),
                text("pipe", _FILE), text("description", _DESCRIPTION),
                choice("replace", _REPLACE, "true", "false"), choice("check", _CHECK, "true", "false"),
            ),
        ),
        Operation(
            path="/v0/pipes/{name}", method="delete", tag="Pipes", kind="admin", forms=JSON, bare=True,
            said="Take a published endpoint away.", data=row(ok="boolean"),
            faults=(403, 404, 409, 429, 500, 503),
            parameters=(path("name", "The endpoint.", pattern="^[A-Za-z_][A-Za-z0-9_]{0,60}$"),),
        ),
    )  # fmt: skip
