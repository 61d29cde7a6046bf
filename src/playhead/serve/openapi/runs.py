"""What runs when it is told to as operations: copies, sinks, populating."""

from typing import Final

from playhead.serve.openapi.operations import JSON, Operation, loose, row
from playhead.serve.openapi.parameters import choice, path, text

_NAME: Final = path("name", "The pipe.", pattern="^[A-Za-z_][A-Za-z0-9_]{0,60}$")
_FAULTS: Final = (400, 403, 404, 408, 409, 413, 429, 500, 503)
_JOB: Final = loose(id="string", job_id="string", kind="string", status="string")
_SWITCHED: Final = row(ok="boolean", pipe="string", paused="boolean")


def operations() -> tuple[Operation, ...]:
    """Return what runs copies and sinks, and lets their schedules rest."""
    return (
        Operation(
            path="/v0/pipes/{name}/copy", method="post", tag="Jobs", kind="admin", forms=JSON,
            bare=True, said="Run a copy pipe now, as a job.", data=_JOB, faults=_FAULTS,
            parameters=(
                _NAME, choice("_mode", "Instead of COPY_MODE of the file.", "append", "replace"),
            ),
        ),
        Operation(
            path="/v0/pipes/{name}/sink", method="post", tag="Jobs", kind="admin", forms=JSON,
            bare=True, said="Run a sink now, as a job.", data=_JOB, faults=_FAULTS,
            parameters=(_NAME,),
        ),
        Operation(
            path="/v0/pipes/{name}/nodes/{node}/population", method="post", tag="Jobs",
            kind="admin", forms=JSON, bare=True, data=_JOB, faults=_FAULTS,
            said="Let the rows that a source holds go through a materialized node again, as a job.",
            parameters=(
                _NAME, path("node", "The node.", pattern="^[A-Za-z_][A-Za-z0-9_]{0,60}$"),
                text("populate_condition", "Only rows of the source for which it holds: SQL."),
                choice("truncate", "`true`: empty the target first.", "true", "false"),
            ),
        ),
        *(
            Operation(
                path=f"/v0/pipes/{{name}}/{kind}/{verb}", method="post", tag="Jobs", kind="admin",
                forms=JSON, bare=True, said=said, data=data, faults=_FAULTS, parameters=(_NAME,),
            )
            for kind in ("copy", "sink")
            for verb, said, data in (
                ("pause", f"Let the schedule of a {kind} rest.", _SWITCHED),
                ("resume", f"Let the schedule of a {kind} go on.", _SWITCHED),
                ("cancel", f"Cancel the {kind} that waits or runs.", _JOB),
            )
        ),
    )  # fmt: skip
