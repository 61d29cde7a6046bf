import io
from pathlib import Path

import pytest

from playhead.cli.demo_table import DemoTable, Group, Numbers, lines, sparkline


def test_the_first_line_says_where_and_where_the_token_is() -> None:
    out = io.StringIO()
    with DemoTable(
        "http://here:1", "secret", token_file=Path("data/admin.token"), out=out
    ) as table:
        table.show(Numbers(live={"concurrent_viewers": 1_234}))
    first, second = out.getvalue().splitlines()[:2]
    assert "http://here:1" in first
    assert "admin.token" in first
    assert "1,234" in second


def test_no_secret_is_shown() -> None:
    out = io.StringIO()
    with DemoTable("http://here:1", "secret", token_file=Path("t"), out=out) as table:
        table.show(Numbers(problem="The server answered 503."))
    assert "secret" not in out.getvalue()
    assert "503" in out.getvalue()


@pytest.mark.parametrize(("values", "bars"), [([], ""), ([0, 0], ""), ([0, 4, 8], "▁▄█")])
def test_sparkline(values: list[int], bars: str) -> None:
    assert sparkline(values) == bars


def test_groups_have_their_numbers() -> None:
    shown = dict(lines(Numbers(cdns=[Group("aurora", 7, 1.5, 4_200.0)])))
    assert "4.20 Mbit/s" in shown["CDN aurora"]
    assert "1.50 %" in shown["CDN aurora"]


def test_without_viewers_it_says_that_it_waits() -> None:
    [watching, waiting] = lines(Numbers(live={"concurrent_viewers": 0}, metrics={"views": 0}))
    assert watching == ("Watching now", "0")
    assert "Waiting for the first viewers" in waiting[1]
