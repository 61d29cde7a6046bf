"""Rows as Parquet: typed by what they hold, written by the store's engine.

Types must not hang on which rows an answer happens to have, or files of one question could not be
put together: every number is a Float64 (JSON does not tell 2 from 2.0), what is named as a moment
and holds moments is a DateTime64(3), true and false are Bool, everything else is text; nested values
are JSON text. Every column may hold nulls.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from playhead.query.reader import Reader
from playhead.serve.desk import while_connected

MEDIA_TYPE: Final = "application/vnd.apache.parquet"
TIME: Final = "DateTime64(3, 'UTC')"
NOTHING: Final = {"empty": "Nullable(String)"}
"""The columns of an answer without rows where nobody knows what they would have been."""
_MOMENT_NAME: Final = re.compile(r"(?:.+_)?at|time|from|to")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)")
_ENCODER: Final = msgspec.json.Encoder()
Row = Mapping[str, Any]


class ParquetAnswer(Response):
    """An answer that has its rows made into a Parquet file when it is sent.

    The application's `state.reader` reaches the engine. What goes wrong is raised before the first
    byte, so it is answered as any other error.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self, rows: Sequence[Row], columns: Mapping[str, str], headers: Mapping[str, str]
    ) -> None:
        super().__init__(headers=dict(headers))
        self._columns = columns
        self._rows = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the file and send it; a caller who goes away ends the work."""
        request = Request(scope, receive)
        reader: Reader = request.app.state.reader
        columns = columns_of(self._rows, self._columns)
        making = reader.converted(lines_of(self._rows, columns), structure_of(columns), "Parquet")
        self.body = await while_connected(request, making)
        self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def columns_of(rows: Sequence[Row], known: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of rows with the engine's types.

    Args:
        rows: Rows of an answer; columns stand in the order in which rows bring them.
        known: Types of columns by name; those that no row has come last.
    """
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            found = values.setdefault(name, [])
            if value is not None:
                found.append(value)
    columns = {name: known.get(name) or _type_of(name, found) for name, found in values.items()}
    return columns | {n: t for n, t in known.items() if n not in columns} or dict(NOTHING)


def structure_of(columns: Mapping[str, str]) -> str:
    """Return columns as the engine reads them; a sign that a name may not hold becomes `_`."""
    return ", ".join(f"`{_plain(name)}` {kind}" for name, kind in columns.items())


def lines_of(rows: Sequence[Row], columns: Mapping[str, str]) -> bytes:
    """Return rows as one JSON object a line, every value in its column's type."""
    return _ENCODER.encode_lines(
        [
            {_plain(name): _cell(row.get(name), kind) for name, kind in columns.items()}
            for row in rows
        ]
    )


def _type_of(name: str, values: Sequence[Any]) -> str:
    kind = "String"
    if _MOMENT_NAME.fullmatch(name) and all(_is_moment(value) for value in values):
        kind = TIME
    elif values and all(isinstance(value, bool) for value in values):
        kind = "Bool"
    elif values and all(_is_number(value) for value in values):
        kind = "Float64"
    return f"Nullable({kind})"


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) and _MOMENT.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any, kind: str) -> Any:
    if value is None or isinstance(value, str) or "String" not in kind:
        return value
    return _ENCODER.encode(value).decode()


def _plain(name: str) -> str:
    return re.sub(r"[`\\\x00-\x1f\x7f]", "_", name)[:200] or "_"
