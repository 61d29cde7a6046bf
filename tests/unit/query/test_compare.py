from zoneinfo import ZoneInfo

import pytest

from playhead.config import Config
from playhead.errors import InvalidRequest
from playhead.query.catalogue import catalogue
from playhead.query.compare import _earlier, compare_question_of, p_value
from playhead.query.question import Asking, Values
from playhead.query.span import DAY_MS, HOUR_MS, Span, iso, span_of

ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=1_780_000_000_000)
BERLIN = ZoneInfo("Europe/Berlin")


def earlier(start: str, end: str, named: str) -> tuple[str, str]:
    span = _earlier(span_of(start, end, 0, zone=BERLIN), named, BERLIN)
    return iso(span.from_ms), iso(span.to_ms)


def test_the_period_before_is_as_long() -> None:
    assert _earlier(Span(5 * HOUR_MS, 7 * HOUR_MS), "previous_period", BERLIN) == Span(
        3 * HOUR_MS, 5 * HOUR_MS
    )
    question = compare_question_of({"metric": ["views"]}, ASKING)
    assert question.compared is not None
    assert question.asked.span.from_ms - question.compared.span.from_ms == DAY_MS


def test_days_keep_the_time_of_day_across_a_clock_change() -> None:
    assert earlier("2026-03-29", "2026-03-30", "previous_day") == (
        "2026-03-27T23:00:00.000Z", "2026-03-28T23:00:00.000Z",
    )  # fmt: skip
    assert earlier("2026-03-30", "2026-03-31", "previous_week")[0] == "2026-03-22T23:00:00.000Z"


def test_years_keep_the_date_and_a_leap_day_is_the_day_before() -> None:
    assert earlier("2026-07-01", "2026-07-02", "previous_year")[0] == "2025-06-30T22:00:00.000Z"
    assert earlier("2028-02-28", "2028-03-01", "previous_year") == (
        "2027-02-27T23:00:00.000Z", "2027-02-28T23:00:00.000Z",
    )  # fmt: skip
    with pytest.raises(InvalidRequest, match="empty"):
        earlier("2028-02-28T12:00", "2028-02-29T12:00", "previous_year")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 100), (50.0, 100), 1.0),
        ((60.0, 100), (40.0, 100), 0.004678),
        ((5.0, 1000), (5.2, 2000), 0.81498),
        ((0.0, 100), (0.0, 100), None),
        ((100.0, 100), (100.0, 100), None),
        ((50.0, 9), (10.0, 9000), None),
        ((None, 0), (10.0, 9000), None),
    ],
)
def test_the_p_value_is_of_a_pooled_two_proportion_z_test(
    one: tuple[float | None, int], other: tuple[float | None, int], expected: float | None
) -> None:
    found = p_value(one, other)
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-3))
    assert p_value(other, one) == found


@pytest.mark.parametrize(
    ("values", "tested"),
    [
        ({"metric": ["exits_before_video_start"]}, True),
        ({"metric": ["rebuffer_percentage"]}, False),
        ({"metric": ["exits_before_video_start"], "measurement": ["count"]}, False),
        ({"metric": ["playback_failure_percentage"], "measurement": ["conviva"]}, False),
        ({"metric": ["startup_time"], "measurement": ["avg"]}, False),
        ({"metric": ["exits_before_video_start"], "compare_from": ["-30h"], "compare_to": ["-1h"]},
         False),
    ],
)  # fmt: skip
def test_only_shares_of_different_rows_are_tested(values: Values, tested: bool) -> None:
    assert compare_question_of(values, ASKING).tested is tested
