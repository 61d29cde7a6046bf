import gzip
from pathlib import Path

import msgspec
import pytest
import zstandard

from playhead import config
from playhead.config import Config, Data
from playhead.errors import BodyTooLarge, DiskLow, InvalidBody
from playhead.jobs.spool import BODY, Packed, Spool, Spooled

TEXT = b"a,b\n" * 50_000


def spool(folder: Path, **limits: int) -> Spool:
    jobs = msgspec.structs.replace(config.Jobs(), **limits)
    log = msgspec.structs.replace(config.Log(), free_space_floor_bytes=0)
    return Spool(msgspec.structs.replace(Config(), data=Data(dir=str(folder)), jobs=jobs, log=log))


def kept(folder: Path, data: bytes) -> Path:
    with spool(folder).writer("j") as writer:
        writer.write(data)
        writer.close()
    return folder / "imports" / "j" / BODY


def read(path: Path, part: Spooled | None = None, most: int = 1 << 30) -> bytes:
    packed = Packed(path, part or Spooled(0, path.stat().st_size), most)
    try:
        return b"".join(packed.blocks())
    finally:
        packed.close()


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        gzip.compress(TEXT),
        gzip.compress(TEXT[:100_000]) + gzip.compress(TEXT[100_000:]),
        zstandard.compress(TEXT),
        zstandard.compress(TEXT[:100_000]) + zstandard.compress(TEXT[100_000:]),
    ],
    ids=["plain", "gzip", "gzip twice", "zstd", "zstd twice"],
)
def test_a_file_is_read_as_it_was_before_it_was_packed(tmp_path: Path, data: bytes) -> None:
    path = kept(tmp_path, b"head" + data + b"tail")
    assert read(path, Spooled(4, 4 + len(data))) == TEXT
    assert spool(tmp_path).size() == len(data) + 8


@pytest.mark.parametrize(
    "data", [gzip.compress(TEXT)[:-9], zstandard.compress(TEXT)[:-9]], ids=["gzip", "zstd"]
)
def test_a_packed_file_that_ends_too_early_is_refused(tmp_path: Path, data: bytes) -> None:
    path = kept(tmp_path, data)
    with pytest.raises(InvalidBody, match="cannot be unpacked"):
        read(path)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_ends_at_the_limit(tmp_path: Path, pack: object) -> None:
    path = kept(tmp_path, pack(b"0" * 100_000_000))  # type: ignore[operator]
    with pytest.raises(BodyTooLarge, match="Unpacked"):
        read(path, most=1_000_000)


def test_files_stay_within_their_limits(tmp_path: Path) -> None:
    with (
        spool(tmp_path, max_import_bytes=10).writer("a") as writer,
        pytest.raises(BodyTooLarge, match="10 bytes"),
    ):
        writer.write(b"0" * 11)
    kept(tmp_path, b"0" * 20)
    with pytest.raises(DiskLow, match="max_spool_bytes"):
        spool(tmp_path, max_spool_bytes=10).writer("b")


def test_files_that_nobody_wants_are_swept(tmp_path: Path) -> None:
    path = kept(tmp_path, b"x")
    one = spool(tmp_path)
    one.sweep([], older_than_ms=0)
    assert path.exists()  # it is too young
    one.sweep(["j"], older_than_ms=1 << 60)
    assert one.has("j")
    one.sweep([], older_than_ms=1 << 60)
    assert not one.has("j")
