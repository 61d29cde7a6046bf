import pytest

from playhead.store.statement import (
    Lane,
    format_of,
    header_bytes,
    insert_parts,
    lane_of,
    split_body,
)


@pytest.mark.parametrize(
    ("sql", "lane"),
    [
        ("select 1", Lane.READ),
        (" -- why\n(/* x */ WITH 1 AS a SELECT a)", Lane.READ),
        ("insert into t values (1)", Lane.INSERT),
        ("OPTIMIZE TABLE t", Lane.COMMAND),
        ("/* SELECT */ DROP TABLE t", Lane.COMMAND),
        ("", Lane.COMMAND),
    ],
)
def test_the_first_word_names_the_lane(sql: str, lane: Lane) -> None:
    assert lane_of(sql) is lane


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 FORMAT CSV", "CSV"),
        ("SELECT 1\nformat JSONEachRow SETTINGS max_threads = 1;", "JSONEachRow"),
        ("SELECT 'FORMAT CSV'", "TSV"),
        ("SELECT a AS format, b FROM t", "TSV"),
    ],
)
def test_the_last_clause_names_the_format(sql: str, expected: str) -> None:
    assert format_of(sql, "TSV") == expected


def test_an_insert_is_parted_from_its_format() -> None:
    sql = "INSERT INTO t (a) FORMAT JSONEachRow"
    assert insert_parts(sql) == ("INSERT INTO t (a)", "JSONEachRow")
    assert insert_parts("INSERT INTO t VALUES (1)") == ("INSERT INTO t VALUES (1)", "")


def test_data_follow_the_format_line_of_an_insert() -> None:
    head = b"INSERT INTO t (`a`) FORMAT Native\n"
    assert split_body(head + b"\x01\xff\n") == (head.decode(), b"\x01\xff\n")
    assert split_body(b"SELECT 1\nFORMAT CSV\n") == ("SELECT 1\nFORMAT CSV\n", b"")


@pytest.mark.parametrize(
    ("format_name", "head"),
    [
        ("CSV", b""),
        ("TSVWithNames", b"n\n"),
        ("CSVWithNames", b'"a ""b""\nc"\n'),
        ("JSONCompactEachRowWithNamesAndTypes", b'["n\\""]\n["UInt8"]\n'),
    ],
)
def test_names_and_types_lead_every_block(format_name: str, head: bytes) -> None:
    assert header_bytes(head + b"1\n2\n", format_name) == len(head)
