"""The frame report: one record of an encoder or a webcam, as a row of `stream_frames`.

One a frame or one a second. Fields stand in the order of the table's columns (a test compares).
"""

from typing import Final

import msgspec

TABLE: Final = "stream_frames"


class Frame(msgspec.Struct, kw_only=True, array_like=True, gc=False):
    """What an encoder says of a frame, or of a second of frames."""

    at: int
    """UTC ms."""
    stream_id: str
    resolution: str = ""
    width: float | None = None
    height: float | None = None
    bitrate_kbps: float | None = None
    fps: float | None = None
    frame_type: str = ""
    dropped_frames: float | None = None
    """Since the record before."""
    extra: dict[str, object] | None = None
    """What the record said besides."""


COLUMNS: Final[tuple[str, ...]] = Frame.__struct_fields__
