"""Charts of the report: from zero, round axes, gaps stay gaps, what is not whole is dashed."""

import re
import xml.etree.ElementTree as ET

import pytest

from playhead.serve.report_chart import NARROW, WIDE, Chart, Line, Size, axis_of, bar, drawing
from playhead.serve.report_chart import sparkline as spark


def chart(**given: object) -> Chart:
    plain = {
        "kind": "lines", "title": "Start-up", "unit": "views", "form": "number",
        "lines": [Line("", [1.0, None, 3.0])], "buckets": ["a", "b", "c"], "times": [(0, "1 May")],
        "open": [False, False, True],
    }  # fmt: skip
    return Chart(**(plain | given))  # type: ignore[arg-type]


def drawn(given: Chart, size: Size = WIDE) -> str:
    return drawing(given, size, [[name] for name in given.buckets])


@pytest.mark.parametrize(
    ("most", "unit", "form", "top", "named"),
    [
        (17_331, "views", "number", 20_000, "views"), (3, "views", "number", 3, "views"),
        (0.17, "%", "number", 0.2, "%"), (1_230, "ms", "duration", 1_500, "s"),
        (0, "views", "number", 1, "views"), (7_300_000, "ms", "duration", 10_800_000, "h"),
    ],
)  # fmt: skip
def test_an_axis_ends_at_a_round_number(
    most: float, unit: str, form: str, top: float, named: str
) -> None:
    axis = axis_of(most, unit, form)
    assert axis.top == pytest.approx(top)
    assert (axis.unit, axis.ticks[0]) == (named, 0)


@pytest.mark.parametrize("kind", ["lines", "columns"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_chart_is_one_sound_picture_with_a_title(kind: str, size: Size) -> None:
    root = ET.fromstring(drawn(chart(kind=kind), size))  # noqa: S314 (our own text)
    assert root.attrib["aria-label"] == "Start-up"
    assert root.attrib["role"] == "img"


def test_a_gap_in_a_line_is_not_drawn_over() -> None:
    text = drawn(chart())
    assert '<line class="l0' not in text
    assert text.count('class="d0"') == 2


def test_what_is_not_whole_is_dashed() -> None:
    text = drawn(chart(kind="columns"))
    assert text.count('class="f0 open"') == 1
    assert text.count('class="f0"') == 1


def test_columns_of_several_lines_stand_on_each_other() -> None:
    lines = [Line("a", [10.0]), Line("b", [10.0])]
    text = drawn(chart(kind="columns", lines=lines, buckets=["x"], open=[False]))
    low, high = re.findall(
        r'class="f\d" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', text
    )
    assert float(high[0]) + float(high[1]) == pytest.approx(float(low[0]), abs=0.2)
    assert low[1] == high[1]


def test_names_are_escaped() -> None:
    text = drawn(chart(title='<script>"', buckets=["<b>", "", ""], times=[(0, "<i>")]))
    assert "<script" not in text
    assert "<b>" not in text


def test_nothing_has_no_sparkline() -> None:
    assert spark([None, 0.0]) == ""
    assert "M0.0 30.0" in spark([0.0, 2.0])


def test_a_bar_stays_within_its_track() -> None:
    assert 'width="100.0"' in bar(140)
    assert bar(None) == ""
