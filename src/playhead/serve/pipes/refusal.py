"""Errors of /v0/* and its like: the sentence as `error`, where its page is as `documentation`."""

from typing import Final

import msgspec
from starlette.responses import Response

from playhead.errors import NotFound, PlayheadError, Unauthenticated

PREFIX: Final = (
    "/v0/", "/v1/build", "/v1/deploy", "/v1/datasources/", "/v1/pipes/", "/v1/user/",
    "/v1/workspace", "/tokens",
)  # fmt: skip
"""What clients of the reference's API ask: they read errors as `refusal` writes them."""
_FORBIDDEN: Final = 403
_NOT_FOUND_HINT: Final = "Check the spelling; GET /v0/pipes lists the pipes."
_ENCODER: Final = msgspec.json.Encoder()


def refusal(error: PlayheadError) -> Response:
    """Return an error as clients of /v0/* read it; whatever is wrong with a token is 403 there."""
    status = status_of(error)
    headers = {"cache-control": "no-store"}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["retry-after"] = str(retry_after_s)
    body = error.body()
    if body["hint"] == NotFound.hint:  # which is about metrics
        body["hint"] = _NOT_FOUND_HINT
    said = {"error": error.message, "documentation": body["docs"], **body}
    return Response(
        _ENCODER.encode(said), status_code=status, media_type="application/json", headers=headers
    )


def status_of(error: PlayheadError) -> int:
    """Return the status /v0/* gives an error."""
    return _FORBIDDEN if isinstance(error, Unauthenticated) else error.status
