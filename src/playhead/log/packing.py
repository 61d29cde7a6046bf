"""How bodies lie on disk: zstd level 1, or as they came where that does not help."""

from collections.abc import Sequence

import zstandard

Stored = bytes | zstandard.BufferSegment
"""What SQLite binds as a blob without a copy."""

RAW = 0
ZSTD = 1

MIN_PACKED_BYTES = 64
"""Below this a frame's own header eats what compression saves."""

LEVEL = 1


class Packer:
    """Compresses the bodies of one commit in one call. Not safe for use by two threads at once."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)

    def pack(self, bodies: Sequence[bytes]) -> list[tuple[int, Stored]]:
        """Return (form, bytes) for each body, in order."""
        packed: list[tuple[int, Stored]] = [(RAW, body) for body in bodies]
        large = [index for index, body in enumerate(bodies) if len(body) >= MIN_PACKED_BYTES]
        if not large:
            return packed
        # One call: each call gives Python's lock away and has to win it back from a busy loop.
        frames = self._compressor.multi_compress_to_buffer([bodies[index] for index in large])
        for place, index in enumerate(large):
            frame = frames[place]
            if len(frame) < len(bodies[index]):
                packed[index] = (ZSTD, frame)
        return packed


class Unpacker:
    """Gives bodies back as they were appended. Not safe for use by two threads at once."""

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor()

    def unpack(self, form: int, stored: bytes) -> bytes:
        """Return the body.

        Raises:
            ValueError: The form is unknown or the frame is damaged.
        """
        if form == RAW:
            return stored
        if form != ZSTD:
            raise ValueError(f"unknown form {form}")
        try:
            return self._decompressor.decompress(stored)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error
