import io
import tarfile
from pathlib import Path

import pytest

from playhead.backup.pack import Kind, Pack, file_of, inside, key_of, packed, unpack
from playhead.errors import BackupDamaged


def pack_of(folder: Path, kind: Kind = "bundle", **content: bytes) -> Pack:
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, text in content.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(text)
        files.append(file_of(path, f"deep/{path.name}"))
    return Pack(kind=kind, root="", files=tuple(files))


@pytest.mark.parametrize("kind", ["part", "bundle"])
def test_what_is_packed_comes_out_the_same(tmp_path: Path, kind: Kind) -> None:
    large = bytes(range(256)) * 30_000
    pack = pack_of(tmp_path / "from", kind, a__bin=large, b__txt=b"", c__txt=b"c")
    blob = tmp_path / "blob"
    blob.write_bytes(b"".join(packed(pack)))
    assert unpack(blob, pack.form, tmp_path / "to") == len(large) + 1
    found = {path.name: path.read_bytes() for path in (tmp_path / "to" / "deep").iterdir()}
    assert found == {"a.bin": large, "b.txt": b"", "c.txt": b"c"}


def test_the_name_follows_from_what_is_in_it(tmp_path: Path) -> None:
    one = pack_of(tmp_path / "1", a__bin=b"one", b__txt=b"b")
    same = pack_of(tmp_path / "2", b__txt=b"b", a__bin=b"one")
    other = pack_of(tmp_path / "3", a__bin=b"two", b__txt=b"b")
    assert key_of(one) == key_of(same)
    assert key_of(one) != key_of(other)


def test_a_part_is_named_by_its_checksums(tmp_path: Path) -> None:
    one = pack_of(tmp_path / "1", "part", data__bin=b"one", checksums__txt=b"1")
    same = pack_of(tmp_path / "2", "part", data__bin=b"two", checksums__txt=b"1")
    other = pack_of(tmp_path / "3", "part", data__bin=b"one", checksums__txt=b"2")
    assert key_of(one) == key_of(same)
    assert key_of(one) != key_of(other)


def test_what_grew_is_cut_and_what_shrank_is_said(tmp_path: Path) -> None:
    pack = pack_of(tmp_path / "from", a__bin=b"12345")
    path = pack.files[0].source
    path.write_bytes(b"1234567")
    (tmp_path / "blob").write_bytes(b"".join(packed(pack)))
    unpack(tmp_path / "blob", pack.form, tmp_path / "to")
    assert (tmp_path / "to" / "deep" / "a.bin").read_bytes() == b"12345"
    path.write_bytes(b"12")
    with pytest.raises(BackupDamaged, match="shorter"):
        list(packed(pack))


@pytest.mark.parametrize("name", ["/etc/passwd", "../out", "a/../../out"])
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    (tmp_path / "blob").write_bytes(held.getvalue())
    with pytest.raises(BackupDamaged, match="outside"):
        unpack(tmp_path / "blob", "tar", tmp_path / "to")
    with pytest.raises(BackupDamaged, match="outside"):
        inside(name)


def test_links_and_rubbish_are_no_pack(tmp_path: Path) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    (tmp_path / "link").write_bytes(held.getvalue())
    (tmp_path / "rubbish").write_bytes(b"rubbish" * 1_000)
    with pytest.raises(BackupDamaged, match="no file"):
        unpack(tmp_path / "link", "tar", tmp_path / "to")
    with pytest.raises(BackupDamaged, match="cannot be unpacked"):
        unpack(tmp_path / "rubbish", "tar.zst", tmp_path / "to")
