"""Files whose lines go to a door as they are, or nearly: telemetry, CMCD, CDN logs, rows."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from playhead.connect.files.kind import Kind
from playhead.connect.files.lines import Line, Lines, Source
from playhead.connect.files.mapped import event_id
from playhead.connect.files.record import Record

PREAMBLE_LINES_MAX: Final = 16
"""Comment lines at the head of a log (`#Fields: …`) that go out with every batch of it."""
_TS: Final = re.compile(rb"(^|,)(\s*)ts=(\d{1,13})(?=\s*(?:,|$))")
_BOM: Final = b"\xef\xbb\xbf"


def records(kind: Kind, source: Source, file: int, lines: Lines) -> Iterator[Record]:
    """Yield the records of a file; blank lines are none, a line that is broken is refused.

    Args:
        kind: What the lines are; not CSV.
        source: The file.
        file: Its index in the replay.
        lines: Its lines, from the beginning or from where an earlier run stopped.
    """
    for line in lines:
        text = line.text.removeprefix(_BOM) if line.number == 1 else line.text
        if line.fault:
            yield _refused(file, line, f"The line {line.fault}.")
        elif not text.strip() or (kind is Kind.CDN and text.startswith(b"#")):
            continue
        elif kind is Kind.TELEMETRY:
            yield from _events(source, file, line, text)
        elif b"\0" in text:
            yield _refused(file, line, "The line is no text.")
        else:
            at_ms = ts_of(text) if kind is Kind.CMCD else None
            yield Record(file, line.number, line.number, at_ms, None, text, line.after)


def _refused(file: int, line: Line, message: str) -> Record:
    return Record(
        file, line.number, line.number, after=line.after, code="invalid_line", message=message
    )


def _events(source: Source, file: int, line: Line, text: bytes) -> Iterator[Record]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield _refused(file, line, f"The line is no JSON: {error}.")
        return
    batch = found if isinstance(found, list) else [found]
    for nth, event in enumerate(batch):
        if not isinstance(event, dict):
            yield _refused(file, line, "The line holds no event: it is no JSON object.")
            continue
        if not event.get("eventId"):
            event["eventId"] = event_id("", source, line.number, nth)
        # A line counts as done with its last event, so that a stop inside it repeats it whole.
        done = nth == len(batch) - 1
        ordinal, after = (line.number, line.after) if done else (0, 0)
        yield Record(file, ordinal, line.number, at_of(event), event, text, after)


def at_of(event: dict[str, Any]) -> int | None:
    """Return the time of an event (UTC ms) if it has one that can be read."""
    at = event.get("timestamp")
    if isinstance(at, str) and at.isdecimal() and len(at) <= 13:
        return int(at)
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not -1e13 < at < 1e13:
        return None
    return round(at)


def ts_of(text: bytes) -> int | None:
    """Return the time of a CMCD record (its `ts`, UTC ms)."""
    found = _TS.search(text)
    return int(found[3]) if found else None


def with_ts(text: bytes, shift_ms: int) -> bytes:
    """Return a CMCD record with its time moved."""
    return _TS.sub(lambda found: b"%sts=%d" % (found[1] + found[2], int(found[3]) + shift_ms), text)


def preamble(source: Source) -> bytes:
    """Return the comment lines at the head of a log, each with its end."""
    head: list[bytes] = []
    for line in Lines(source):
        if not line.text.startswith(b"#") or len(head) == PREAMBLE_LINES_MAX:
            break
        head.append(line.text + b"\n")
    return b"".join(head)
