import csv
import gzip
from collections.abc import Iterator

import pytest

from playhead.errors import ProjectInvalid
from playhead.project import fixtures
from playhead.project.fixtures import blocks, fixture_rows, is_header, unpacked
from playhead.project.resources import Column, Datasource, Fixture, Project
from playhead.project.rows import RowReader

VIEWS = Datasource(
    name="views",
    path="datasources/views.datasource",
    columns=(
        Column(name="video", type="String", json_path="$.video"),
        Column(name="plays", type="UInt32", json_path="$.plays"),
    ),
)
PROJECT = Project(datasources={"views": VIEWS}, aliases={"views__v1": "views"})


def test_rows_of_a_packed_file() -> None:
    data = gzip.compress(b'{"video":"a","plays":1}\n\n{"video":"b"}\n')
    found = list(fixture_rows(PROJECT, Fixture("views", "f.ndjson", "ndjson"), lambda _: data))
    assert [(one.body, one.row_count) for one in found] == [(b'["a",1]\n', 1)]
    assert [one.columns for one in found[0].refused] == [("plays",)]


def test_a_fixture_of_a_second_name_and_one_of_none() -> None:
    second = fixture_rows(PROJECT, Fixture("views__v1", "f.csv", "csv"), lambda _: b"a,1\n")
    assert [one.row_count for one in second] == [1]
    assert list(fixture_rows(PROJECT, Fixture("x", "x.csv", "csv"), lambda _: b"a")) == []


def test_blocks_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures, "BLOCK_ROWS_MAX", 2)
    data = b'{"video":"a","plays":1}\n' * 5
    assert [one.row_count for one in blocks(RowReader(VIEWS), data, "ndjson")] == [2, 2, 1]
    assert list(blocks(RowReader(VIEWS), b"", "csv")) == []


def test_a_file_that_is_too_large_or_cut_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProjectInvalid, match="cannot be unpacked"):
        unpacked(gzip.compress(b"x" * 1000)[:-5])
    monkeypatch.setattr(fixtures, "FIXTURE_BYTES_MAX", 10)
    with pytest.raises(ProjectInvalid, match="more than 10 bytes"):
        unpacked(gzip.compress(b"x" * 1000))


@pytest.mark.parametrize(
    ("first", "following", "header"),
    [
        (["video", "plays"], ["a", "1"], True), (["Video", "x"], None, True),
        (["title", "count"], ["a", "1"], True), (["a", "1"], ["b", "2"], False),
        (["a", "b"], ["c", "d"], False), (["a", "b"], None, False),
    ],
)  # fmt: skip
def test_a_header_is_recognised(first: list[str], following: list[str], header: bool) -> None:
    assert is_header(RowReader(VIEWS), first, following) is header


def test_a_header_alone_is_no_row() -> None:
    assert list(blocks(RowReader(VIEWS), b"video,plays\n", "csv")) == []
    assert [one.row_count for one in blocks(RowReader(VIEWS), b"\n\na,1\n", "csv")] == [1]


@pytest.fixture
def small_cells() -> Iterator[None]:
    before = csv.field_size_limit(131_072)  # of the whole process: imports raise it
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("small_cells")
def test_a_cell_that_is_too_large_is_a_sentence() -> None:
    with pytest.raises(ProjectInvalid, match="no CSV") as raised:
        list(blocks(RowReader(VIEWS), b"a,1\n" + b"x" * 200_000 + b",1\n", "csv", path="f.csv"))
    assert raised.value.message.startswith("f.csv:")
