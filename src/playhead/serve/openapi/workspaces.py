"""Workspaces, builds and variables as operations: what `tb` asks beside data."""

from typing import Final

from playhead.config import Config
from playhead.serve.openapi.operations import (
    JSON,
    Body,
    Operation,
    loose,
    project_files,
    row,
    rows_of,
)
from playhead.serve.openapi.parameters import Schema, choice, path, required, text

_FAULTS: Final = (400, 403, 404, 408, 409, 413, 429, 500, 503)
_ONE: Final = loose(
    id="string", name="string", role="string", test="boolean", database="string",
    created_at="string?",
)  # fmt: skip
_VARIABLE: Final = row(name="string", type="string", created_at="time", updated_at="time")
_NAME: Final = "Letters, digits and `_`, at most 100, no digit first."
_PATTERN: Final = "^[A-Za-z_][A-Za-z0-9_]{0,99}$"
_WHICH: Final = path("name", "The variable.", pattern=_PATTERN)
_WORKSPACE: Final = path("workspace", "Its id or its name.", pattern="^[A-Za-z0-9_-]{1,80}$")


def operations(config: Config) -> tuple[Operation, ...]:
    """Return what lists, makes, builds and deletes workspaces, and their variables."""
    return (*_workspaces(config), *_variables(), *_besides())


def _workspaces(config: Config) -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v1/user/workspaces", tag="Workspaces", kind="admin", forms=JSON, bare=True,
            said="The caller's workspace; for the main one's admin all others too.", faults=_FAULTS,
            data=loose(id="string", workspaces=rows_of(_ONE)),
        ),
        *(
            Operation(
                path=where, tag="Workspaces", kind="admin", forms=JSON, bare=True, faults=_FAULTS,
                said="The caller's workspace.", data=_ONE,
            )
            for where in ("/v0/workspace", "/v1/workspace")
        ),
        Operation(
            path="/v1/workspaces", method="post", tag="Workspaces", kind="admin", forms=JSON,
            bare=True, said="Make a workspace with tables and tokens of its own.", data=_ONE,
            faults=_FAULTS,
            parameters=(
                required(text("name", "What it is called: 1 to 200 letters that can be seen.")),
            ),
        ),
        Operation(
            path="/v1/workspaces/{workspace}", method="delete", tag="Workspaces", kind="admin",
            forms=JSON, bare=True, said="Delete a workspace with all that is in it.",
            data=loose(ok="boolean", id="string", name="string"), faults=_FAULTS,
            parameters=(
                _WORKSPACE,
                required(choice("hard_delete_confirmation", "Without it nothing is deleted.", "yes")),
            ),
        ),
        Operation(
            path="/v1/build", method="post", tag="Workspaces", kind="admin", forms=JSON, bare=True,
            said="Build a project in place and make it live.", body=project_files(config), faults=_FAULTS,
            data=loose(result="string", build={"type": "object"}, errors={"type": "array"}),
        ),
    )  # fmt: skip


def _variables() -> tuple[Operation, ...]:
    value: Schema = {"type": "string"}
    said = {"name": {"type": "string", "pattern": _PATTERN}, "value": value}
    named: Schema = {"type": "object", "properties": said, "required": ["name", "value"]}
    alone: Schema = {"type": "object", "properties": {"value": value}, "required": ["value"]}
    every = {"path": "/v0/variables/{name}", "parameters": (_WHICH,)}
    common = {"tag": "Variables", "kind": "admin", "forms": JSON, "bare": True, "faults": _FAULTS}

    def operation(**given: object) -> Operation:
        return Operation(**{**common, **given})  # type: ignore[arg-type]

    return (
        operation(
            path="/v0/variables", said="The variables; never their values.",
            data=row(variables=rows_of(_VARIABLE)),
        ),
        operation(
            path="/v0/variables", method="post", said="Set a new variable: `tb_secret()` finds it.",
            data=_VARIABLE,
            body=Body(said=_NAME, content={"application/x-www-form-urlencoded": named}),
        ),
        operation(**every, said="When a variable was set.", data=_VARIABLE),
        operation(
            **every, method="put", said="Change a variable.", data=_VARIABLE,
            body=Body(said="Its value.", content={"application/x-www-form-urlencoded": alone}),
        ),
        operation(**every, method="delete", said="Remove a variable.", data=row(ok="boolean")),
    )  # fmt: skip


def _besides() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v0/dependencies", tag="Pipes", forms=JSON, bare=True, faults=_FAULTS,
            said="Which pipes read which data source.", parameters=(text("items", "Only of these."),),
            data=row(dependencies=rows_of(row(datasource="string", pipes={"type": "array"}))),
        ),
        Operation(
            path="/v0/connectors", tag="Pipes", forms=JSON, bare=True, faults=_FAULTS,
            said="The project's connections; never what is in them.",
            data=row(connectors={"type": "array"}),
        ),
        *(
            Operation(
                path="/v0/sql_format", method=method, tag="Pipes", forms=JSON, bare=True,
                faults=_FAULTS, said="A query in its usual form; it is not run.",
                data=row(q="string"),
                parameters=(required(text("q", "The query.", examples=["SELECT 1"])),),
            )
            for method in ("get", "post")
        ),
    )  # fmt: skip
