"""Frame reports of encoders and webcams: JSON objects into rows of `stream_frames`."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from playhead.collect.columns import Columns, fault, number, text
from playhead.model.frame import Frame

ID_LENGTH_MAX: Final = 256
WORD_LENGTH_MAX: Final = 64
"""Characters of a resolution and of a frame type: words that repeat."""
_SIZE = re.compile(r"\s*(\d{1,5})\s*[xX*]\s*(\d{1,5})\s*")
_LINES = re.compile(r"\s*(\d{2,4})[pi]\d{0,3}\s*", re.IGNORECASE)


def _amount(value: object, column: str) -> float:
    found = number(value, column)
    if found < 0:
        raise fault(value, column, "is less than 0")
    return found


_COLUMNS: Final = Columns(
    Frame,
    reads={
        "stream_id": partial(text, max_=ID_LENGTH_MAX),
        "resolution": partial(text, max_=WORD_LENGTH_MAX),
        "frame_type": partial(text, max_=WORD_LENGTH_MAX),
        "width": _amount,
        "height": _amount,
        "bitrate_kbps": _amount,
        "fps": _amount,
        "dropped_frames": _amount,
    },
    required=("stream_id",),
)


def frame(row: Mapping[str, Any]) -> Frame:
    """Return the frame report of a JSON object; its size by the resolution where it says none.

    Raises:
        Fault: A value is not what its column holds, or `timestamp` or `streamId` is missing.
    """
    found = Frame(**_COLUMNS.read(row))
    if found.resolution and (found.width is None or found.height is None):
        width, height = size_of(found.resolution)
        found.width = width if found.width is None else found.width
        found.height = height if found.height is None else found.height
    return found


def size_of(resolution: str) -> tuple[float | None, float | None]:
    """Return width and height of `1280x720`; `720p` tells the height alone. None where unknown."""
    both = _SIZE.fullmatch(resolution)
    if both:
        return float(both[1]), float(both[2])
    lines = _LINES.fullmatch(resolution)
    return None, None if lines is None else float(lines[1])
