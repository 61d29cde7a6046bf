import gzip
from pathlib import Path

import pytest
import zstandard

from playhead.connect.files import lines
from playhead.connect.files.lines import Lines, find, first_line
from playhead.errors import InvalidRequest

TEXT = b"one\ntwo\r\n\nfour"


def pack(name: str, text: bytes) -> bytes:
    if name.endswith(".gz"):
        return gzip.compress(text[:5]) + gzip.compress(text[5:])
    return zstandard.ZstdCompressor().compress(text) if name.endswith(".zst") else text


@pytest.mark.parametrize("name", ["a.log", "a.log.gz", "a.log.zst"])
def test_lines_are_the_same_however_packed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pack(name, TEXT))
    [source] = find([str(tmp_path / name)])
    assert [line.text for line in Lines(source)] == [b"one", b"two", b"", b"four"]


@pytest.mark.parametrize("name", ["a.log", "a.log.gz", "a.log.zst"])
def test_it_goes_on_after_any_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pack(name, TEXT))
    [source] = find([str(tmp_path / name)])
    whole = list(Lines(source))
    for at, line in enumerate(whole, 1):
        assert list(Lines(source, number=line.number, after=line.after)) == whole[at:]


def test_a_line_too_long_is_refused_and_the_file_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"x" * (lines.LINE_BYTES_MAX * 3) + b"\nshort\n")
    long, short = Lines(find([str(tmp_path / "a.log")])[0])
    assert "longer than" in long.fault
    assert (short.number, short.text) == (2, b"short")


def test_a_torn_gzip_ends_with_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"line\n" * 50_000)[:-200])
    *_, last = Lines(find([str(tmp_path / "a.gz")])[0])
    assert "cannot be read further" in last.fault


def test_a_folder_gives_its_usual_files_by_relative_name(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.csv", "in/a.ndjson.gz", "LICENSE", ".hidden.csv"):
        (tmp_path / name).write_text("x")
    assert [source.name for source in find([str(tmp_path)])] == ["b.csv", "in/a.ndjson.gz"]


def test_a_file_asked_for_twice_is_there_once(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("x")
    pattern = str(tmp_path / "*.csv")
    assert len(find([str(tmp_path), pattern, str(tmp_path / "b.csv")])) == 1


def test_identity_is_name_and_content(tmp_path: Path) -> None:
    identities = []
    for folder, name, text in (("1", "a", "x"), ("2", "a", "x"), ("3", "a", "y"), ("4", "b", "x")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
        identities.append(find([str(tmp_path / folder / name)])[0].identity)
    assert identities[0] == identities[1]
    assert len(set(identities)) == 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.log", None, "There is no file or folder"),
        ("*.none", None, "No file matches"),
        ("empty.log", b"\n \n", "is empty"),
        ("binary.log", b"\x7fELF\0\0", "is no text"),
    ],
)
def test_what_cannot_be_replayed_is_said(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequest, match=said):
        first_line(find([str(tmp_path / name)])[0])


def test_a_folder_with_nothing_to_replay_is_said(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("x")
    with pytest.raises(InvalidRequest, match="no file to replay in the folder"):
        find([str(tmp_path)])
