"""What a file yields: one event, one row or one line, or why there is none."""

from typing import Any

import msgspec


class Record(msgspec.Struct):
    """One thing to send.

    `ordinal` counts what the file yields from 1: the position that an acknowledgement moves.
    `at_ms` is the file's own time: UTC ms, or ms from its beginning; None where it has none.
    """

    file: int
    """Index of the file in the replay."""
    ordinal: int
    line: int
    at_ms: int | None = None
    event: dict[str, Any] | None = None
    """An event or a row; None for a line that goes out as it is."""
    text: bytes = b""
    after: int = 0
    """Bytes of the unpacked file up to here; 0 where only the ordinal counts."""
    code: str = ""
    """Why it is refused here; empty if it can be sent."""
    message: str = ""
