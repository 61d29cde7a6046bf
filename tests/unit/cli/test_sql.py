from pathlib import Path

from click.testing import CliRunner

from playhead.cli.sql import command
from playhead.cli.sql_table import CELL_MOST, lines


def test_a_table_is_as_wide_as_its_values_and_numbers_stand_right() -> None:
    rows: list[list[object]] = [["aurora", 12], ["日本", None], ["x", [1, 2]]]
    assert list(lines(["title", "plays"], ["String", "Nullable(UInt64)"], rows)) == [
        "title   plays",
        "──────  ─────",
        "aurora     12",
        "日本     NULL",
        "x       [1,2]",
    ]


def test_a_value_cannot_write_to_the_terminal_nor_fill_it() -> None:
    shown = list(lines(["a"], ["String"], [["\x1b[2J\n"], ["y" * 500]]))
    assert shown[2] == "\\x1b[2J\\n"
    assert shown[3] == "y" * (CELL_MOST - 1) + "…"


def test_no_query_and_no_server_are_said(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text("secret")
    given = ["--data", str(tmp_path), "--url", "127.0.0.1:9"]
    empty = CliRunner().invoke(command, given, input=" ;\n")
    assert (empty.exit_code, "There is no query." in empty.output) == (1, True)
    away = CliRunner().invoke(command, ["SELECT 1", *given])
    assert "Nothing answers at http://127.0.0.1:9." in away.output


def test_a_table_wider_than_the_terminal_is_told_value_by_value() -> None:
    names, types, rows = ["video_id", "n"], ["String", "UInt8"], [["film", 1], ["series", 22]]
    told = list(lines(names, types, rows, 10))
    assert told == [
        "── row 1 ──", "video_id  film", "n         1", "── row 2 ──", "video_id  series",
        "n         22",
    ]  # fmt: skip
    assert list(lines(names, types, rows, 12)) == list(lines(names, types, rows))
