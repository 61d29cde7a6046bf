"""The body of a request: read within limits of size and time, unpacked within limits of size."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import zstandard

from playhead.errors import BodyTimeout, BodyTooLarge, InvalidBody

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
WINDOW_MAX_BYTES: Final = 8 << 20
"""Memory a zstd frame may ask for; the size every decoder must be ready for."""
STREAMS_MAX: Final = 4_096
"""Gzip streams in a row that a body may be."""
_SLICE_BYTES: Final = 16 << 10


class Gone(Exception):
    """The client closed the connection before its body was complete."""


class Deadline:
    """Ends the current task's waiting after a time, at a third of what `asyncio.timeout` costs."""

    __slots__ = ("_handle", "_late", "_task", "_timeout_s")

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._late = False

    def _expire(self) -> None:
        self._late = True
        self._task.cancel()

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("A deadline needs a task to end.")
        self._task = task
        self._handle = loop.call_later(self._timeout_s, self._expire)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        self._handle.cancel()
        # Cancelled by somebody else as well (shutdown): that wish goes on as it is.
        if self._late and kind is asyncio.CancelledError and self._task.uncancel() <= 0:
            raise BodyTimeout(
                f"The body did not arrive within {self._timeout_s:g} s. Nothing was stored."
            ) from error


async def read(
    receive: Receive, *, declared: bytes | None, max_bytes: int, timeout_s: float
) -> bytes:
    """Return the whole body as it was sent.

    Args:
        receive: The ASGI channel.
        declared: The Content-Length header, None if there is none.
        max_bytes: What is allowed.
        timeout_s: The whole body must be here within this time.

    Raises:
        BodyTooLarge: It is or says it is larger than allowed.
        BodyTimeout: It did not arrive in time.
        Gone: The client left.
    """
    if declared is not None and declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    with Deadline(timeout_s):
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            body = await _rest(receive, body, max_bytes)
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    return body


async def _rest(receive: Receive, first: bytes, max_bytes: int) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        more = message.get("more_body", False)
    return b"".join(parts)


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {max_bytes} bytes. Nothing of it was stored.")


def unpack(body: bytes, encoding: bytes, *, max_bytes: int) -> bytes:
    """Return the body without its compression, which a beacon cannot name, so magic counts too.

    Args:
        body: The bytes as sent.
        encoding: The Content-Encoding header, empty if there is none.
        max_bytes: What the unpacked body may have.

    Raises:
        BodyTooLarge: It unpacks to more than allowed.
        InvalidBody: It cannot be unpacked, or the encoding is none of gzip, zstd, deflate.
    """
    name = encoding.strip().lower()
    if name in {b"", b"identity"}:
        if body[:2] == GZIP_MAGIC:
            name = b"gzip"
        elif body[:4] == ZSTD_MAGIC:
            name = b"zstd"
        else:
            return body
    try:
        if name in {b"gzip", b"x-gzip"}:
            return _inflate(body, 31, max_bytes)
        if name == b"deflate":
            # Half the world sends zlib's framing, as the standard says, half sends none.
            return _inflate(body, 15 if _is_zlib(body) else -15, max_bytes)
        if name == b"zstd":
            return _unzstd(body, max_bytes)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        shown = name.decode("latin-1")
        raise InvalidBody(f"The body is no {shown}: {error}. Nothing of it was stored.") from error
    raise InvalidBody(
        f"Content-Encoding '{name[:40].decode('latin-1')}' is not known; gzip, zstd and deflate are."
    )


def _is_zlib(body: bytes) -> bool:
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _inflate(body: bytes, window_bits: int, max_bytes: int) -> bytes:
    """Unpack one stream, or the several that concatenated gzip files are."""
    parts: list[bytes] = []
    # In slices: a stream's end copies what it was given beyond it, for each of thousands of streams.
    view, at, room = memoryview(body), 0, max_bytes
    for _ in range(STREAMS_MAX):
        stream = zlib.decompressobj(window_bits)
        while not stream.eof and at < len(view):
            piece = view[at : at + _SLICE_BYTES]
            part = stream.decompress(piece, room + 1)
            room -= len(part)
            if room < 0:
                raise _too_large(max_bytes)
            parts.append(part)
            at += len(piece)
        if not stream.eof:
            raise EOFError("it ends too early")
        at -= len(stream.unused_data)
        if window_bits < 16 or bytes(view[at : at + 2]) != GZIP_MAGIC:
            return b"".join(parts)
    raise InvalidBody(
        f"The body is more than {STREAMS_MAX} gzip streams in a row. Nothing of it was stored.",
        hint="Pack what belongs together into one stream.",
    )


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    if zstandard.frame_content_size(body) > max_bytes:
        raise _too_large(max_bytes)
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX_BYTES)
    with unpacker.stream_reader(body, read_across_frames=True) as reader:
        data = reader.read(max_bytes + 1)
        while len(data) <= max_bytes and (more := reader.read(max_bytes + 1 - len(data))):
            data += more
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return data
