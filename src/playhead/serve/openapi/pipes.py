"""Pipes, endpoints and SQL as operations; `/v0/pipes/openapi.json` has a project's own endpoints."""

from typing import Final

from playhead.config import Config
from playhead.query.pipes.formats import FORMS, OUTPUT
from playhead.serve.openapi.operations import JSON, Body, Operation, loose
from playhead.serve.openapi.parameters import Parameter, Schema, path, required, text

_FAULTS: Final = (400, 403, 404, 408, 413, 429, 500, 503)
_LISTED: Final = (403, 429, 500, 503)
_ONE: Final = (403, 404, 429, 500, 503)
_NAME: Final = path("name", "The pipe.", examples=["video_performance_by_cdn"])
_FORM: Final = path("form", "The form of the answer.", enum=list(FORMS))
_Q: Final = text("q", "SQL on top: `_` is the endpoint.", examples=["SELECT count() FROM _"])
_SQL: Final = text(
    "q", "The query; FORMAT in it decides the form.", examples=["SELECT 1 FORMAT CSV"]
)
_EXPLAIN: Final = text("explain", "`true`: the query that would run, and its plan.")
_PIPELINE: Final = text("pipeline", "A pipe whose nodes the query may name.")
_SWITCHES: Final = tuple(
    Parameter(
        name=name,
        said=f"The engine's setting; {default} by default.",
        schema={"type": "string", "enum": ["0", "1", "true", "false"]},
    )
    for name, default in OUTPUT.items()
)
_ROWS: Final = loose(
    meta={"type": "array"}, data={"type": "array"}, rows="integer",
    rows_before_limit_at_least="integer", statistics={"type": "object"},
)  # fmt: skip
_KINDS: Final = (
    "application/json", "text/csv", "application/x-ndjson", "application/vnd.apache.parquet",
    "text/plain",
)  # fmt: skip
_OF_SQL: Final = (
    *_KINDS, "text/tab-separated-values", "text/markdown", "application/octet-stream",
)  # fmt: skip
_PIPE: Final = loose(
    id="string", name="string", description="string", type="string", endpoint="string?",
    nodes={"type": "array"}, params={"type": "array"},
)  # fmt: skip
_PARAMETERS: Final[Schema] = {"type": "object", "additionalProperties": True}
_FORM_BODY: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}


def operations(config: Config) -> tuple[Operation, ...]:
    """Return what can be asked of a project and of the data."""
    most = config.pipes.max_body_bytes
    body = Body(
        said=f"Parameters, at most {most} bytes.", required=False,
        content={"application/json": _PARAMETERS, "application/x-www-form-urlencoded": _FORM_BODY},
    )  # fmt: skip
    query = Body(
        said="The query as text, or `q` and parameters.", required=False,
        content={"text/plain": {"type": "string"}, **body.content},
    )  # fmt: skip
    of_endpoint = (_NAME, _FORM, _Q, _EXPLAIN, *_SWITCHES)
    return (
        Operation(
            path="/v0/pipes", tag="Pipes", forms=JSON, bare=True, faults=_LISTED,
            said="The pipes the token may read.", data=loose(pipes={"type": "array", "items": _PIPE}),
        ),
        Operation(
            path="/v0/pipes/{name}", tag="Pipes", forms=JSON, bare=True, faults=_ONE, data=_PIPE,
            said="One pipe: its nodes, parameters and endpoint.", parameters=(_NAME,),
        ),
        Operation(
            path="/v0/pipes/openapi.json", tag="Pipes", forms=JSON, bare=True, faults=_LISTED,
            said="The endpoints the token may read, with their parameters.", data={"type": "object"},
        ),
        Operation(
            path="/v0/pipes/{name}.pipe", tag="Pipes", forms=("text/plain",), bare=True, faults=_ONE,
            said="The file of a pipe.", data={"type": "string"}, parameters=(_NAME,),
        ),
        Operation(
            path="/v1/pipes/{name}.pipe", tag="Pipes", forms=("text/plain",), bare=True,
            faults=(401, *_ONE), said="The same.", data={"type": "string"}, parameters=(_NAME,),
        ),
        Operation(
            path="/v0/pipes/{name}.{form}", tag="Pipes", forms=_KINDS, bare=True, faults=_FAULTS,
            said="Rows of an endpoint; it takes its own parameters besides.", data=_ROWS,
            parameters=of_endpoint,
        ),
        Operation(
            path="/v0/pipes/{name}.{form}", method="post", tag="Pipes", forms=_KINDS, bare=True,
            faults=_FAULTS, said="The same, with parameters in the body.", data=_ROWS,
            parameters=of_endpoint, body=body,
        ),
        Operation(
            path="/v0/sql", tag="SQL", forms=_OF_SQL, bare=True, faults=_FAULTS, data=_ROWS,
            said="Rows of a query.",
            parameters=(required(_SQL), _PIPELINE, _EXPLAIN, *_SWITCHES),
        ),
        Operation(
            path="/v0/sql", method="post", tag="SQL", forms=_OF_SQL, bare=True, faults=_FAULTS,
            said="The same, with the query in the body.", data=_ROWS,
            parameters=(_PIPELINE, _EXPLAIN, *_SWITCHES), body=query,
        ),
    )  # fmt: skip
