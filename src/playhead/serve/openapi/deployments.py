"""Deployments as operations."""

from typing import Final

from playhead.config import Config
from playhead.serve.openapi.operations import JSON, Operation, loose, project_files, rows_of
from playhead.serve.openapi.parameters import choice, path

_ID: Final = path("id", "The deployment; `0` is what a build made live.", pattern="^[0-9]{1,9}$")
_FAULTS: Final = (400, 403, 404, 408, 409, 413, 429, 500, 503)
_ONE: Final = loose(
    id="string", status="string", state="string", live="boolean", created_at="string",
    created_at_ms="integer", updated_at="string", data_ready_at="string?", live_at="string?", feedback={"type": "array"},
    errors={"type": "array"}, rows_total="integer", rows_done="integer", pause_ms="integer",
)  # fmt: skip
_DONE: Final = loose(result="string", deployment=_ONE)


def operations(config: Config) -> tuple[Operation, ...]:
    """Return what makes, lists, promotes and discards deployments."""
    return (
        Operation(
            path="/v1/deploy", method="post", tag="Deployments", kind="admin", forms=JSON,
            bare=True, data=_DONE, body=project_files(config), faults=_FAULTS,
            said="Deploy a project beside what is live, with the rows of before.",
            parameters=(
                choice("check", "`true`: only say what would change, and what is wrong.", "true", "false"),
                choice("auto_promote", "`true`: live as soon as its rows are there.", "true", "false"),
                choice("allow_destructive_operations", "`true`: rows may be lost.", "true", "false"),
            ),
        ),
        Operation(
            path="/v1/deployments", tag="Deployments", kind="admin", forms=JSON, bare=True,
            said="List deployments, the newest first.", data=loose(deployments=rows_of(_ONE)),
            faults=(403, 408, 413, 429, 500, 503),
        ),
        Operation(
            path="/v1/deployments/{id}", tag="Deployments", kind="admin", forms=JSON, bare=True,
            said="Show how far a deployment is.", data=loose(deployment=_ONE),
            faults=(403, 404, 408, 413, 429, 500, 503), parameters=(_ID,),
        ),
        Operation(
            path="/v1/deployments/{id}", method="delete", tag="Deployments", kind="admin",
            forms=JSON, bare=True, said="Discard a deployment that is not live.", data=_DONE,
            faults=_FAULTS, parameters=(_ID,),
        ),
        Operation(
            path="/v1/deployments/{id}/set-live", method="post", tag="Deployments", kind="admin",
            forms=JSON, bare=True, said="Make a staged deployment live.", data=_DONE,
            faults=_FAULTS, parameters=(_ID,),
        ),
    )  # fmt: skip
