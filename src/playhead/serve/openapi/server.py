"""The server itself and sessions as operations."""

from typing import Final

from playhead.serve.openapi.operations import JSON, Body, Operation, loose, row

_TOKEN: Final = {"type": "object", "properties": {"token": {"type": "string"}}}


def operations() -> tuple[Operation, ...]:
    """Return what the server says of itself, and sessions."""
    who = row(kind="string", name="string", property="string?", expires_at="string?")
    state = row(status="string")
    return (
        Operation(
            path="/v1/status", tag="Server", forms=JSON, faults=(400, 401, 403, 429, 500, 503),
            said="Lag, counts and whether they add up; more for the admin token.",
            data=loose(version="string", lag=loose(records="integer", events="integer", ms="integer?")),
        ),
        Operation(
            path="/v1/session", tag="Server", forms=JSON, faults=(400, 401, 403, 429, 500), data=who,
            said="Who asks, and until when the session lasts.",
        ),
        Operation(
            path="/v1/session", method="post", tag="Server", forms=JSON, status=201, data=who,
            faults=(400, 401, 403, 408, 413, 429, 500), kind="begin",
            said="Begin a session of a browser: sets the cookie `playhead_session`.",
            body=Body(
                said="The token, where it is not in the header.", required=False,
                content={"application/json": _TOKEN},
            ),
        ),
        Operation(
            path="/v1/session", method="delete", tag="Server", forms=JSON, kind="open",
            faults=(400, 403, 429, 500), data=row(ended="boolean"),
            said="End the session of this browser.",
        ),
        Operation(
            path="/healthz", tag="Server", kind="open", forms=JSON, faults=(500,), data=state,
            said="200 while the process answers at all.",
        ),
        Operation(
            path="/readyz", tag="Server", kind="open", forms=JSON, faults=(500, 503), data=state,
            said="200 when events are taken and questions answered; 503 with the reasons, `data.reasons`.",
        ),
        Operation(
            path="/metrics", tag="Server", kind="open", forms=("text/plain",), bare=True, faults=(500,),
            data={"type": "string"}, said="Counters as Prometheus reads them.",
        ),
        Operation(
            path="/openapi.json", tag="Server", kind="open", forms=JSON, bare=True, faults=(500,),
            data={"type": "object"}, said="This document.",
        ),
    )  # fmt: skip
