"""Answers on their way out: JSON with data and meta, or rows as CSV or NDJSON."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead.errors import InvalidRequest, PlayheadError

Form = Literal["json", "csv", "ndjson"]
_MEDIA: dict[Form, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
}
_ACCEPTED: dict[str, Form] = {
    "text/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
}
_OURS = frozenset({"token", "format"})
"""Parameters that concern the answer's way, not the question."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ENCODER = msgspec.json.Encoder()


def form_of(request: Request) -> Form:
    """Return the form asked for by `format=`, else by Accept, else JSON.

    Raises:
        InvalidRequest: A format that is not one of them.
    """
    asked = request.query_params.get("format")
    if asked:
        for form in _MEDIA:
            if asked == form:
                return form
        raise InvalidRequest("The format is not known.", hint="Use json, csv or ndjson.")
    accepted = request.headers.get("accept", "")
    for part in accepted.split(","):
        media = part.partition(";")[0].strip().lower()
        if media in _ACCEPTED:
            return _ACCEPTED[media]
    return "json"


def values_of(request: Request) -> dict[str, list[str]]:
    """Return the parameters of a request that belong to the question, each with all its values."""
    values: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in _OURS:
            values.setdefault(name, []).append(value)
    return values


def answer(data: Any, meta: Mapping[str, Any], form: Form = "json") -> Response:
    """Return data and meta as a response; CSV and NDJSON carry the rows alone."""
    if form == "json":
        body = _ENCODER.encode({"data": data, "meta": meta})
    else:
        rows = data if isinstance(data, list) else [data]
        body = _ENCODER.encode_lines(rows) if form == "ndjson" else _csv(rows)
    headers = {"cache-control": "private, no-store", "vary": "accept, authorization"}
    return Response(body, media_type=_MEDIA[form], headers=headers)


def failure(error: PlayheadError) -> Response:
    """Return an error as `{code, message, hint, docs}` with its status."""
    headers = {"cache-control": "no-store"}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["retry-after"] = str(retry_after_s)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    body = _ENCODER.encode(error.body())
    return Response(body, status_code=error.status, media_type=_MEDIA["json"], headers=headers)


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    if rows:
        writer = csv.writer(out, lineterminator="\r\n")
        names = list(rows[0])
        writer.writerow(names)
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    """Return a value as a spreadsheet may hold it: text that would be a formula is quoted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return _ENCODER.encode(value).decode()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
