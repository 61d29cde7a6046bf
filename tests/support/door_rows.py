"""Rows of the doors without views, stored as the worker stores them: CDN requests and frames."""

import uuid
from typing import Any

import msgspec

from playhead.model import cdn_request, event_row, frame
from support.answering import NOW_MS
from support.running_store import RunningStore

_JSON = {"cmcd": "", "extra": ""}
"""Text in the table, an object in the struct: nothing here looks into them."""


def insert_requests(store: RunningStore, *rows: dict[str, Any], block: str = "") -> None:
    """Store CDN requests: ten minutes ago, a hit with status 200, unless told otherwise.

    `property` is given like the fields of a request; `block` is the token of the insert.
    """
    plain = {"at": NOW_MS - 600_000, "cdn": "aurora", "pop": "fra", "status": 200, "cache": "hit"}
    fields = [_fields(cdn_request.CdnRequest(at=0)) | plain | row for row in rows]
    _insert(store, "cdn_requests", cdn_request.COLUMNS, fields, block)


def insert_frames(store: RunningStore, *rows: dict[str, Any]) -> None:
    """Store frame reports of the stream `cam` unless told otherwise."""
    plain = {"at": NOW_MS - 60_000, "stream_id": "cam"}
    fields = [_fields(frame.Frame(at=0, stream_id="")) | plain | row for row in rows]
    _insert(store, "stream_frames", frame.COLUMNS, fields, "")


def _fields(one: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def _insert(
    store: RunningStore,
    table: str,
    columns: tuple[str, ...],
    rows: list[dict[str, Any]],
    block: str,
) -> None:
    lines = []
    for number, row in enumerate(rows):
        whence = (NOW_MS, 1, number, "test", row.get("property", "default"))
        lines.append([*whence, *(_JSON.get(name, row[name]) for name in columns)])
    body = msgspec.json.Encoder().encode_lines(lines)
    names = (*event_row.ROW_COLUMNS, *columns)
    store.client.insert(table, names, body, token=block or uuid.uuid4().hex)
