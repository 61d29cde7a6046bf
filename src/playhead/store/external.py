"""Rows that come along with a statement, which reads them as a table for its own time only.

It is ClickHouse's own form (external data for query processing): a multipart body whose one part
bears the table's name, the table's structure and format in the address.
https://clickhouse.com/docs/engines/table-engines/special/external-data
"""

import re
from typing import Final

import msgspec

from playhead.errors import QueryFailed

TABLE: Final = "given"
"""What the statement calls the table."""
STRUCTURE: Final = f"{TABLE}_structure"
FORMAT: Final = f"{TABLE}_format"
_BOUNDARY: Final = "playhead-rows-d6f1"
"""No row holds it at the beginning of a line: a line of JSON begins with a bracket."""
_TYPE: Final = r"\w{1,40}(?:\([\w', ]{1,60}\)|\(\w{1,40}\([\w', ]{1,60}\)\))?"
_COLUMNS: Final = re.compile(rf"`[^`\\\r\n]{{1,200}}` {_TYPE}(?:, `[^`\\\r\n]{{1,200}}` {_TYPE})*")
_SENT: Final = re.compile(r'multipart/form-data; ?boundary="?([\w-]{1,70})"?')


class External(msgspec.Struct, frozen=True):
    """A table that lives as long as its statement: columns as "`name` Type, …", data in a format."""

    structure: str
    format: str
    data: bytes


def body_of(data: bytes) -> tuple[bytes, str]:
    """Return data as the body of a request, and that body's content type."""
    head = (
        f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{TABLE}"; filename="{TABLE}"'
        "\r\ncontent-type: application/octet-stream\r\n\r\n"
    )
    body = b"".join((head.encode(), data, f"\r\n--{_BOUNDARY}--\r\n".encode()))
    return body, f"multipart/form-data; boundary={_BOUNDARY}"


def external_of(structure: str, format_name: str, body: bytes, content_type: str) -> External:
    """Return the table that a request brings.

    Raises:
        QueryFailed: Its structure is none, or the body does not hold it alone.
    """
    sent = _SENT.fullmatch(content_type.strip())
    if not _COLUMNS.fullmatch(structure) or sent is None:
        raise _refused("The structure of the given table cannot be read, or the body is no form")
    mark = f"--{sent[1]}".encode()
    head_end = body.find(b"\r\n\r\n")
    end = body.rfind(b"\r\n" + mark + b"--")
    if not body.startswith(mark + b"\r\n") or not 0 < head_end < end + 4:
        raise _refused(f"The body must be one part, named {TABLE}")
    return External(structure, format_name, body[head_end + 4 : max(end, head_end + 4)])


def _refused(sentence: str) -> QueryFailed:
    return QueryFailed(f"Code: 36. DB::Exception: {sentence}. (BAD_ARGUMENTS)", engine_code=36)
