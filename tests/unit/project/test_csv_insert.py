import pytest

from playhead.project.csv_insert import csv_insert, is_plain
from playhead.project.resources import Column, Datasource

ID = Column(name="id", type="UInt32")


def source(*columns: Column) -> Datasource:
    return Datasource(name="plays", path="", columns=(ID, *columns))


def test_every_cell_is_read_as_text_and_judged() -> None:
    made = csv_insert(
        source(Column(name="at", type="DateTime"), Column(name="note", type="String"))
    )
    assert made is not None
    assert made.structure == "`c0` String, `c1` String, `c2` String"
    assert made.insert("d", "t").startswith(
        "INSERT INTO `d`.`t` (`id`, `at`, `note`) SELECT accurate"
    )


@pytest.mark.parametrize(
    "column",
    [
        Column(name="a", type="Array(String)"),
        Column(name="a", type="Map(String, String)"),
        Column(name="a", type="Decimal(10, 2)"),
        Column(name="a", type="JSON"),
        Column(name="a", type="Nested(x UInt8)"),
        Column(name="a", type="UInt256"),
        Column(name="a", type="DateTime64(9)"),
        Column(name="a", type="IPv6"),
        Column(name="a", type="Nullable(Int32)", default="7"),
        Column(name="a", type="", default="1 + 1"),
    ],
    ids=lambda column: column.type,
)
def test_types_that_the_reader_alone_reads(column: Column) -> None:
    assert csv_insert(source(column)) is None
    assert csv_insert(Datasource(name="one", path="", columns=(ID,))) is None


def test_pieces_that_both_cut_the_same_way() -> None:
    assert is_plain("1,ä\r\n2,b\n".encode())
    assert not any(map(is_plain, (b"\xef\xbb\xbf1,a\n", b"1,a\rb\n", b"1,\xff\n")))
