"""Jobs, files and removals as operations."""

from typing import Final

from playhead.serve.openapi.operations import JSON, Body, Operation, loose, row
from playhead.serve.openapi.parameters import Parameter, Schema, choice, path, required, text

_FAULTS: Final = (400, 403, 404, 408, 409, 413, 429, 500, 503)
_ONE: Final = (403, 404, 409, 429, 500, 503)
_NAME: Final = path("name", "The data source.", pattern="^[A-Za-z_][A-Za-z0-9_]{0,60}$")
_ID: Final = path("id", "The job.", pattern="^[0-9a-f-]{36}$")
_JOB: Final = loose(
    id="string", job_id="string", job_url="string", kind="string", status="string",
    created_at="time", updated_at="time", started_at="string?", is_cancellable="boolean",
    progress_percentage="number", progress=row(done="integer", total="integer"),
    datasource=loose(id="string", name="string"), rows="integer", error={},
    statistics=row(rows_written="integer", rows_quarantined="integer"), import_id="string",
    blocks={"type": "array"}, quarantine_rows="integer", rows_to_be_deleted="integer?",
)  # fmt: skip
_FILE: Final[Schema] = {}
"""Any bytes: what of them is a row, the job says."""
_BODY: Final = Body(
    said="The file: as it is, packed with gzip or zstd, or as a field of a form.", required=False,
    content={
        "text/csv": _FILE, "application/x-ndjson": _FILE, "application/octet-stream": _FILE,
    },
)  # fmt: skip
_FORM: Final = choice(
    "format", "What the file is; else its name or content type says it.", "csv", "ndjson", "parquet"
)
_READ: Final[tuple[Parameter, ...]] = (
    _FORM,
    text("dialect_delimiter", "Of a CSV: what stands between cells; else it is looked for.", maxLength=1),
    text("dialect_escapechar", "Of a CSV: what stands before a quote inside quotes.", maxLength=1),
)  # fmt: skip
_CONDITION: Final = text(
    "replace_condition", "With replace: only the partitions that these rows fill; SQL."
)
_SKIP: Final = choice(
    "skip_incompatible_partition_key",
    "`true`: what views fill stays as it is where its partitions do not fit.", "true", "false",
)  # fmt: skip


def operations() -> tuple[Operation, ...]:
    """Return what can be asked of jobs, and what makes them."""
    return (*_jobs(), *_files(), *_removals())


def _jobs() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v0/jobs", tag="Jobs", forms=JSON, bare=True, faults=(400, 403, 429, 500, 503),
            said="The newest jobs the token may see.", data=row(jobs={"type": "array", "items": _JOB}),
            parameters=(
                choice("status", "Only these.", "waiting", "working", "done", "error", "cancelled"),
                text("kind", "Only these.", examples=["import"]),
            ),
        ),
        Operation(
            path="/v0/jobs/{id}", tag="Jobs", forms=JSON, bare=True, said="One job.", data=_JOB,
            faults=_ONE, parameters=(_ID,),
        ),
        *(
            Operation(
                path=f"/v0/jobs/{{id}}/{verb}", method="post", tag="Jobs", kind="admin", forms=JSON,
                bare=True, said=said, data=_JOB, faults=_ONE, parameters=(_ID,),
            )
            for verb, said in (
                ("cancel", "End a job at its next step; what it has loaded stays."),
                ("retry", "Let a job that failed or was cancelled go on from where it was."),
            )
        ),
    )  # fmt: skip


def _files() -> tuple[Operation, ...]:
    return (
        Operation(
            path="/v0/datasources", method="post", tag="Data sources", kind="admin", forms=JSON,
            bare=True, said="Import a file into a data source, as a job.", data=_JOB, body=_BODY,
            faults=_FAULTS,
            parameters=(
                required(text("name", "The data source.", minLength=1)),
                required(choice("mode", "Add its rows, or replace those there are.", "append", "replace")),
                text("url", "Instead of a body: where the file is, on a host that is allowed."),
                *_READ, _CONDITION, _SKIP,
            ),
        ),
        *(
            Operation(
                path=f"/v1/datasources/{{name}}/{verb}", method="post", tag="Data sources",
                kind="admin", forms=JSON, bare=True, said=said, data=_JOB, body=_BODY, faults=_FAULTS,
                parameters=(_NAME, *_READ, *more),
            )
            for verb, said, more in (
                ("append", "Add the rows of a file, as a job.", ()),
                ("replace", "Let the rows of a file take the place of those there are, as a job.", (_CONDITION, _SKIP)),
            )
        ),
        Operation(
            path="/v0/analyze", method="post", tag="Data sources", kind="admin", forms=JSON, bare=True,
            said="What a file seems to hold, as the schema of a data source.", body=_BODY, faults=_FAULTS,
            data=row(
                analysis=row(columns={"type": "array", "items": loose(
                    name="string", recommended_type="string", path="string",
                )}, schema="string"),
                format="string",
            ),
            parameters=(_FORM,),
        ),
    )  # fmt: skip


def _removals() -> tuple[Operation, ...]:
    return (
        *(
            operation
            for version in ("v0", "v1")
            for operation in (
                Operation(
                    path=f"/{version}/datasources/{{name}}/truncate", method="post",
                    tag="Data sources", kind="admin", forms=JSON, bare=True, data=_JOB, faults=_FAULTS,
                    said="Remove all rows of a data source, as a job.", parameters=(_NAME,),
                ),
                Operation(
                    path=f"/{version}/datasources/{{name}}/delete", method="post",
                    tag="Data sources", kind="admin", forms=JSON, bare=True, faults=_FAULTS,
                    said="Remove some rows of a data source, as a job.",
                    data=loose(rows_to_be_deleted="integer?", dry_run="boolean", delete_id="string"),
                    parameters=(
                        _NAME, required(text("delete_condition", "Which rows: SQL.", minLength=1)),
                        choice("dry_run", "`true`: only count them.", "true", "false"),
                    ),
                ),
            )
        ),
        Operation(
            path="/v0/datasources/{name}", method="delete", tag="Data sources", kind="admin",
            forms=JSON, bare=True, data=row(), faults=(403, 404, 409, 429, 500, 503),
            said="Refused: a data source goes with its file, by a deployment.", parameters=(_NAME,),
        ),
    )  # fmt: skip
