"""`playhead report` on a terminal: widths, bars, and what it refuses."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from playhead.cli.report import command
from playhead.cli.report_terminal import bar, cells, cut, spark


@pytest.mark.parametrize(
    ("text", "wide"), [("abc", 3), ("e\u0301", 1), ("決勝", 4), ("fa\u200cm", 3), ("", 0)]
)
def test_a_text_takes_its_cells(text: str, wide: int) -> None:
    assert cells(text) == wide


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [("final", 5, "final"), ("finals", 5, "fina…"), ("決勝戦", 5, "決勝…")],
)
def test_a_name_is_cut_to_its_room(text: str, room: int, kept: str) -> None:
    assert cut(text, room) == kept


def test_sparks_begin_at_zero_and_leave_gaps() -> None:
    assert spark([0, 4, None, 8], 4) == "▁▄ █"
    assert spark([None, 0], 4) == ""


def test_more_values_than_room_are_means() -> None:
    assert spark([0, 8, 8, 8], 2) == "▄█"


@pytest.mark.parametrize(
    ("percent", "drawn"), [(50, "█████     "), (1, "▏         "), (0, " " * 10), (None, " " * 10)]
)
def test_a_bar_is_as_long_as_its_share(percent: float | None, drawn: str) -> None:
    assert bar(percent, 10) == drawn


def test_page_and_json_do_not_go_together(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--json", "--html", str(tmp_path / "r.html")])
    assert done.exit_code == 2
    assert "not both" in done.output


def test_an_empty_variable_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORT_TOKEN", "")
    done = CliRunner().invoke(command, ["--token-env", "REPORT_TOKEN"])
    assert done.exit_code == 1
    assert "The variable REPORT_TOKEN holds no token." in done.output
