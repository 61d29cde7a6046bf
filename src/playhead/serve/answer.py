"""Answers on their way out: JSON with data and meta, or rows as CSV, NDJSON or Parquet."""

import csv
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead.errors import InvalidRequest, PlayheadError
from playhead.serve.parquet import MEDIA_TYPE as PARQUET
from playhead.serve.parquet import ParquetAnswer

Form = Literal["json", "csv", "ndjson", "parquet"]
MEDIA: dict[Form, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": PARQUET,
}
_ACCEPTED: dict[str, Form] = {
    "text/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    PARQUET: "parquet",
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
        for form in MEDIA:
            if asked == form:
                return form
        raise InvalidRequest("The format is not known.", hint="Use json, csv, ndjson or parquet.")
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


def answer(
    data: Any,
    meta: Mapping[str, Any],
    form: Form = "json",
    *,
    columns: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Return data and meta as a response; the other forms carry the rows alone.

    Args:
        data: Rows, each a flat object; or one object, which counts as one row.
        meta: What JSON says beside them.
        form: How they go out.
        columns: Types of columns for Parquet where they are known better than from the rows, and
            columns that are there even when no row is; see `serve/parquet.py`.
    """
    headers = {"cache-control": "private, no-store", "vary": "accept, authorization"}
    rows = data if isinstance(data, list) else [data]
    if form == "parquet":
        return ParquetAnswer(rows, columns, headers)
    if form == "json":
        body = _ENCODER.encode({"data": data, "meta": meta})
    else:
        body = _ENCODER.encode_lines(rows) if form == "ndjson" else _csv(rows)
    return Response(body, media_type=MEDIA[form], headers=headers)


def failure(error: PlayheadError) -> Response:
    """Return an error as `{code, message, hint, docs}` with its status."""
    headers = {"cache-control": "no-store"}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["retry-after"] = str(retry_after_s)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    body = _ENCODER.encode(error.body())
    return Response(body, status_code=error.status, media_type=MEDIA["json"], headers=headers)


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
