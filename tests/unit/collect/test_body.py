import asyncio
import gzip
import random
import zlib
from collections.abc import MutableMapping
from typing import Any

import pytest
import zstandard

from playhead.collect import body
from playhead.errors import BodyTimeout, BodyTooLarge, InvalidBody

TEXT = b'[{"eventType":"PLAY"}]' * 50
PACKED = {
    b"gzip": gzip.compress(TEXT, mtime=0),
    b"x-gzip": gzip.compress(TEXT[:100], mtime=0) + gzip.compress(TEXT[100:], mtime=0),
    b"deflate": zlib.compress(TEXT),
    b"Deflate": zlib.compress(TEXT)[2:-4],
    b"zstd": zstandard.compress(TEXT),
    b"identity": TEXT,
    b"": TEXT,
}


class Channel:
    def __init__(self, *messages: MutableMapping[str, Any]) -> None:
        self._messages = list(messages)

    async def __call__(self) -> MutableMapping[str, Any]:
        if not self._messages:
            await asyncio.sleep(3_600)
        return self._messages.pop(0)


def part(data: bytes, *, more: bool = False) -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


async def read(*messages: MutableMapping[str, Any], declared: bytes | None = None) -> bytes:
    return await body.read(Channel(*messages), declared=declared, max_bytes=10, timeout_s=0.01)


async def test_a_body_comes_in_one_part_or_in_many() -> None:
    assert await read(part(b"abc")) == b"abc"
    assert await read(part(b"ab", more=True), part(b"", more=True), part(b"c")) == b"abc"


async def test_a_body_over_the_limit_is_refused_before_and_while_it_arrives() -> None:
    with pytest.raises(BodyTooLarge):
        await read(declared=b"11")
    with pytest.raises(BodyTooLarge):
        await read(part(b"x" * 11))
    with pytest.raises(BodyTooLarge):
        await read(*[part(b"x" * 6, more=True)] * 2)


async def test_a_slow_body_is_given_up() -> None:
    with pytest.raises(BodyTimeout):
        await read(part(b"ab", more=True))
    await asyncio.sleep(0)


async def test_a_cancelled_request_stays_cancelled() -> None:
    waiting = asyncio.ensure_future(body.read(Channel(), declared=None, max_bytes=10, timeout_s=60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_shutdown_during_a_late_body_goes_on() -> None:
    async def cancelled_again() -> MutableMapping[str, Any]:
        try:
            return await Channel()()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            raise

    reading = body.read(cancelled_again, declared=None, max_bytes=10, timeout_s=0.01)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.ensure_future(reading)


async def test_a_client_that_leaves_gets_no_answer() -> None:
    with pytest.raises(body.Gone):
        await read(part(b"ab", more=True), {"type": "http.disconnect"})


@pytest.mark.parametrize("encoding", PACKED)
def test_each_encoding_is_unpacked(encoding: bytes) -> None:
    assert body.unpack(PACKED[encoding], encoding, max_bytes=len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", [b"gzip", b"zstd"])
def test_a_beacon_need_not_name_its_encoding(encoding: bytes) -> None:
    assert body.unpack(PACKED[encoding], b"", max_bytes=len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", [b"gzip", b"x-gzip", b"deflate", b"Deflate", b"zstd"])
def test_a_bomb_stops_at_the_limit(encoding: bytes) -> None:
    with pytest.raises(BodyTooLarge):
        body.unpack(PACKED[encoding], encoding, max_bytes=len(TEXT) - 1)


def test_a_bomb_of_many_zstd_frames_stops_too() -> None:
    frames = zstandard.compress(b"\0" * 100_000) * 100
    with pytest.raises(BodyTooLarge):
        body.unpack(frames, b"zstd", max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (b"plain", b"gzip"),
        (PACKED[b"gzip"][:-9], b"gzip"),
        (b"", b"gzip"),
        (b"plain", b"deflate"),
        (b"plain", b"zstd"),
        (b"", b"zstd"),
        (b"plain", b"br"),
        (b"plain", b"gzip, gzip"),
    ],
)
def test_what_cannot_be_unpacked_is_refused(packed: bytes, encoding: bytes) -> None:
    with pytest.raises(InvalidBody):
        body.unpack(packed, encoding, max_bytes=10_000)


def test_a_body_of_thousands_of_gzip_streams_is_refused() -> None:
    empty = gzip.compress(b"", mtime=0)
    assert body.unpack(empty * 4_000, b"gzip", max_bytes=100) == b""
    with pytest.raises(InvalidBody, match="4096 gzip streams"):
        body.unpack(empty * 5_000, b"gzip", max_bytes=100)


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate"])
def test_a_body_larger_than_a_slice_is_unpacked_whole(encoding: bytes) -> None:
    text = bytes(random.Random(1).randbytes(100_000))
    packed = gzip.compress(text) if encoding == b"gzip" else zlib.compress(text)
    assert body.unpack(packed, encoding, max_bytes=len(text)) == text
    with pytest.raises(BodyTooLarge):
        body.unpack(packed, encoding, max_bytes=len(text) - 1)


def test_what_was_packed_twice_is_unpacked_once() -> None:
    twice = gzip.compress(PACKED[b"gzip"], mtime=0)
    assert body.unpack(twice, b"gzip", max_bytes=10_000) == PACKED[b"gzip"]
    with pytest.raises(InvalidBody):
        body.unpack(twice, b"gzip, gzip", max_bytes=10_000)
