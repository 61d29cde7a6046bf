import gzip
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import InvalidBody
from playhead.jobs.pieces import Layout, csv_head, pieces
from playhead.jobs.spool import Packed, Spooled
from playhead.project.resources import Column, Datasource
from playhead.project.rows import RowReader

READER = RowReader(
    Datasource(
        name="plays",
        path="",
        columns=(Column(name="id", type="UInt32"), Column(name="title", type="String")),
    )
)
LAYOUT = Layout(form="csv", piece_bytes=64, record_bytes_max=200)
TEXT = "".join(f'{n},"t ""{n}""\nx"\n' for n in range(100)).encode()


def cut(folder: Path, data: bytes, layout: Layout = LAYOUT) -> list[bytes]:
    path = folder / "body"
    path.write_bytes(data)
    file = Packed(path, Spooled(0, len(data)), 1 << 30)
    try:
        found = list(pieces(file, layout))
    finally:
        file.close()
    assert [one.number for one in found] == list(range(len(found)))
    return [one.body for one in found]


def test_a_file_is_cut_the_same_way_each_time_packed_or_not(tmp_path: Path) -> None:
    plain = cut(tmp_path, TEXT)
    assert cut(tmp_path, TEXT) == cut(tmp_path, gzip.compress(TEXT)) == plain
    assert b"".join(plain) == TEXT
    assert len(plain) > 10


def test_what_stands_before_the_first_row_is_left_out(tmp_path: Path) -> None:
    layout = msgspec.structs.replace(LAYOUT, head_bytes=len(b"id,title\n"))
    assert b"".join(cut(tmp_path, b"id,title\n" + TEXT, layout)) == TEXT
    assert cut(tmp_path, b"", layout) == cut(tmp_path, b"id,title\n", layout) == []


@pytest.mark.parametrize(
    "data", [b'1,"' + b"x" * 500, b'1,"x\n2,y\n' + b"z\n" * 200, b"x" * 300], ids=range(3)
)
def test_a_record_that_is_too_long_ends_it(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidBody, match="longer than 200 bytes, or a quote"):
        cut(tmp_path, data)


@given(st.lists(st.binary(max_size=30).map(lambda one: one.replace(b"\n", b"")), max_size=30))
def test_lines_stay_whole(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    layout = msgspec.structs.replace(LAYOUT, form="ndjson")
    found = cut(tmp_path_factory.mktemp("lines"), data, layout)
    kept = [line for piece in found for line in piece.split(b"\n") if line.strip()]
    assert kept == [line for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("text", "delimiter", "size"),
    [
        (b"id,title\n1,a\n", ",", 9),
        (b"\xef\xbb\xbfid;title\r\n1;a\r\n", ";", 13),
        (b"\n\nid,title\n1,a\n", ",", 11),
        (b"1,a\n2,b\n", ",", 0),
        (b'"id"\t"a\nb"\n1\tx\n', "\t", 11),
        (b"number,name\n1,a\n", ",", 12),
        (b"id|title", "|", 8),
        (b"", ",", 0),
    ],
)
def test_the_head_of_a_csv(text: bytes, delimiter: str, size: int) -> None:
    assert csv_head(text, READER, "", "") == (delimiter, size)


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidBody, match="no text"):
        csv_head(b"\x00\x01\x02", READER, "", "")
