"""Numbers of the report as people read them, and names that cannot do harm."""

import pytest

from playhead.query import report_words as words


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"), (999, "999 ms"), (1_200, "1.20 s"), (12_340, "12.3 s"), (59_999, "1 min 0 s"),
        (494_047, "8 min 14 s"), (3_600_000, "1 h 0 min"), (360_000_000, "100 h"),
    ],
)  # fmt: skip
def test_a_duration_has_the_units_that_matter(ms: float, text: str) -> None:
    assert words.duration(ms) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "views", words.MISSING), (1234567, "views", "1,234,567"), (0.153, "%", "0.15 %"),
        (12.34, "%", "12.3 %"), (800, "kbit/s", "800 kbit/s"), (6930, "kbit/s", "6.93 Mbit/s"),
        (1.824, "views", "1.82"),
    ],
)  # fmt: skip
def test_a_number_is_shown_in_its_unit(value: float | None, unit: str, text: str) -> None:
    assert words.shown(value, unit, "number") == text


@pytest.mark.parametrize(
    ("percent", "better", "said"),
    [
        (5, "higher", "better"), (5, "lower", "worse"), (-5, "lower", "better"),
        (0.4, "lower", "same"), (5, "neutral", "neutral"), (None, "higher", "neutral"),
    ],
)  # fmt: skip
def test_a_change_is_judged_by_its_direction(percent: float | None, better: str, said: str) -> None:
    assert words.verdict(percent, better) == said


def test_a_change_says_its_sign() -> None:
    assert [words.change(one) for one in (3.21, -250, 0, None)] == [
        "+3.2 %", "\u2212250 %", "±0.0 %", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("Cup final", "Cup final"), ("a\u202eb", "a\ufffdb"), ("a\x1b[31mb", "a\ufffd[31mb"),
        ("fa\u200cmily", "fa\u200cmily"), ("x" * 81, "x" * 79 + "…"), ("x" * 80, "x" * 80),
    ],
)  # fmt: skip
def test_a_name_from_outside_cannot_turn_or_move_what_stands_beside_it(
    text: str, harmless: str
) -> None:
    assert words.harmless(text) == harmless


def test_groups_without_a_name_have_words() -> None:
    assert words.name_of("", other=False) == "unknown"
    assert words.name_of("other", other=True) == "all others"


def test_a_small_line_leaves_out_what_the_span_cuts() -> None:
    cut = {"partial": True, "value": 1.0}
    assert words.whole_ones([cut, {"partial": False, "value": 5.0}]) == [None, 5.0]
    assert words.whole_ones([cut]) == [1.0]


def test_a_small_line_shows_what_is_cut_where_nothing_else_is() -> None:
    empty = {"partial": False, "value": 0}
    assert words.whole_ones([empty, {"partial": True, "value": 7.0}]) == [0, 7.0]
