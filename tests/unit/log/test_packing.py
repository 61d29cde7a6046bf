import os

import pytest

from playhead.log.packing import RAW, ZSTD, Packer, Stored, Unpacker


def on_disk(stored: Stored) -> bytes:
    return stored if isinstance(stored, bytes) else stored.tobytes()


def test_bodies_come_back_in_order() -> None:
    bodies = [b"", b"[]", b"a" * 5_000, os.urandom(300), b"b" * 64]
    packed = Packer().pack(bodies)
    assert [Unpacker().unpack(form, on_disk(stored)) for form, stored in packed] == bodies


def test_only_what_shrinks_is_compressed() -> None:
    packed = Packer().pack([b"a" * 63, b"a" * 64, os.urandom(300)])
    assert [form for form, _ in packed] == [RAW, ZSTD, RAW]


@pytest.mark.parametrize(("form", "stored"), [(ZSTD, b"no frame"), (7, b"[]")])
def test_damage_is_an_error(form: int, stored: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Unpacker().unpack(form, stored)
