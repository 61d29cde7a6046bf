from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from playhead.errors import InvalidRequest
from playhead.query.span import DAY_MS, HOUR_MS, Span, buckets_of, iso, ms_of, span_of, zone_of

NOW_MS = 1_780_000_000_000
UTC_ZONE = ZoneInfo("UTC")


def starts(span: Span, interval: str, zone: str) -> list[str]:
    buckets = buckets_of(span, interval, ZoneInfo(zone), limit=1_000)
    return [iso(start) for start in buckets.starts]


def between(start: str, end: str) -> Span:
    return Span(*(round(datetime.fromisoformat(t).timestamp() * 1000) for t in (start, end)))


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("now", NOW_MS),
        ("-24h", NOW_MS - DAY_MS),
        ("now-15m", NOW_MS - HOUR_MS // 4),
        ("1770000000000", 1_770_000_000_000),
        ("2026-01-01", 1_767_225_600_000),
        ("2026-01-01T01:00:00Z", 1_767_229_200_000),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600_000),
        ("2026-01-01T01:00:00 01:00", 1_767_225_600_000),
    ],
)
def test_a_moment_is_read(text: str, ms: int) -> None:
    assert span_of(text, str(NOW_MS + 1), NOW_MS, zone=UTC_ZONE).from_ms == ms


def test_a_moment_without_offset_is_local() -> None:
    span = span_of("2026-06-01", "2026-06-02", NOW_MS, zone=ZoneInfo("Asia/Tokyo"))
    assert iso(span.from_ms) == "2026-05-31T15:00:00.000Z"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "-1y", "1e9", "9" * 15, "2026-13-01", "-9999999d"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        span_of(text or " ", None, NOW_MS, zone=UTC_ZONE)


def test_an_empty_span_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="before"):
        span_of("now", "now", NOW_MS, zone=UTC_ZONE)


def test_an_unknown_zone_is_refused() -> None:
    for name in ("Mars/Base", "../etc/passwd", "/etc/passwd", ""):
        with pytest.raises(InvalidRequest):
            zone_of(name)


def test_days_are_23_and_25_hours_when_the_clock_changes() -> None:
    spring = starts(between("2026-03-28T23:00Z", "2026-03-30T22:00Z"), "1d", "Europe/Berlin")
    autumn = starts(between("2026-10-24T22:00Z", "2026-10-26T23:00Z"), "1d", "Europe/Berlin")
    assert spring == ["2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"]
    assert autumn == ["2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]


def test_a_midnight_that_does_not_exist_begins_the_day_at_the_change() -> None:
    # In Santiago clocks go from 24:00 to 01:00.
    days = starts(between("2026-09-05T12:00Z", "2026-09-07T12:00Z"), "1d", "America/Santiago")
    assert days == [
        "2026-09-05T04:00:00.000Z", "2026-09-06T04:00:00.000Z", "2026-09-07T03:00:00.000Z",
    ]  # fmt: skip


def test_hours_are_round_where_the_offset_is_not() -> None:
    hours = starts(between("2026-01-01T00:10Z", "2026-01-01T02:00Z"), "1h", "Asia/Kolkata")
    assert hours == [
        "2025-12-31T23:30:00.000Z",
        "2026-01-01T00:30:00.000Z",
        "2026-01-01T01:30:00.000Z",
    ]


def test_hours_stay_round_when_the_clock_moves_by_half_an_hour() -> None:
    span = between("2026-04-04T13:00Z", "2026-04-04T18:00Z")  # Lord Howe: 30 minutes back at 15:00Z
    hours = starts(span, "1h", "Australia/Lord_Howe")
    local = [datetime.fromisoformat(h).astimezone(ZoneInfo("Australia/Lord_Howe")) for h in hours]
    assert [moment.minute for moment in local] == [0] * len(local)
    assert hours == sorted(set(hours))


def test_buckets_cover_the_span_without_gap() -> None:
    span = Span(NOW_MS - 3 * HOUR_MS - 5, NOW_MS)
    buckets = buckets_of(span, "5m", UTC_ZONE, limit=100)
    assert buckets.starts[0] <= span.from_ms < buckets.starts[1]
    assert buckets.edges(len(buckets.starts) - 1)[1] == span.to_ms


def test_auto_takes_about_a_hundred_buckets() -> None:
    for hours, interval in ((1, "1m"), (6, "5m"), (24, "15m"), (96, "1h"), (24 * 90, "1d")):
        span = Span(NOW_MS - hours * HOUR_MS, NOW_MS)
        assert buckets_of(span, "auto", UTC_ZONE, limit=1_000).interval == interval


def test_too_many_buckets_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="more than 10 buckets"):
        buckets_of(Span(NOW_MS - HOUR_MS, NOW_MS), "1m", UTC_ZONE, limit=10)


def test_times_come_back_as_they_went() -> None:
    assert ms_of("2026-05-28 20:26:40.000") == ms_of(NOW_MS) == NOW_MS
    assert iso(NOW_MS) == datetime.fromtimestamp(NOW_MS / 1000, UTC).strftime(
        "%Y-%m-%dT%H:%M:%S.000Z"
    )
