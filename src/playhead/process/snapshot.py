"""A track as the newest row of its current view carries it: the store is the checkpoint."""

import base64
from typing import Any

import msgspec
import zstandard

from playhead.process.fold import ViewState
from playhead.process.seen import SeenImage


class Snapshot(msgspec.Struct, array_like=True):
    """Everything a track needs to go on; what is new stands at the end, with a default."""

    view: ViewState
    explicit: bool
    ordinal: int
    seen: SeenImage
    duplicates: int
    count: int
    last_key: list[Any]
    cmcd: bool = False
    """The track holds CMCD reports."""
    cutting: bool = False
    """Another video starts another view."""
    beside: "Snapshot | None" = None
    """The track of the other witness."""

    def key(self) -> Any:
        """Return the place of the last event as `order_key` gives it; None before the first."""
        return _as_tuple(self.last_key) or None


_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(Snapshot)
_DEFLATE = zstandard.ZstdCompressor(level=1)
_INFLATE = zstandard.ZstdDecompressor()


def pack(image: Snapshot) -> str:
    """Return a snapshot as text for the row."""
    return base64.b64encode(_DEFLATE.compress(_PACK.encode(image))).decode()


def unpack(state: str) -> Snapshot:
    """Read what `pack` wrote.

    Raises:
        ValueError: It is no base64, or no snapshot (`msgspec.MsgspecError`).
        zstandard.ZstdError: It cannot be inflated.
    """
    return _UNPACK.decode(_INFLATE.decompress(base64.b64decode(state)))


def _as_tuple(value: Any) -> Any:
    """Undo what MessagePack does to nested tuples, so that order keys compare as before."""
    if isinstance(value, list):
        return tuple(_as_tuple(item) for item in value)
    return value
