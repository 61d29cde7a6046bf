from typing import Any, cast

import pytest

from playhead.query import live_feed
from playhead.query.catalogue import catalogue
from playhead.query.live import BUCKET_MS, LiveNumbers, LiveQuestion, Sums
from playhead.query.live_feed import LiveFeed, LiveWindow
from playhead.query.metrics import SeriesKey
from playhead.query.reader import Reader
from playhead.query.scope import Scope
from playhead.query.span import MINUTE_MS, Span

ALL: SeriesKey = ("", False)
QUESTION = LiveQuestion(span=Span(0, MINUTE_MS), scope=Scope())
FROM_MS = 1_700_000_000_000


def sums(viewers: int, starts: int = 0) -> Sums:
    return (viewers, 0, 0, 0, 0, 0, starts)


def found(*viewers: int, first: int = 0, key: SeriesKey = ALL) -> LiveNumbers:
    start = FROM_MS + first * BUCKET_MS
    span = Span(start, start + len(viewers) * BUCKET_MS)
    return LiveNumbers(span, {key: [sums(n) for n in viewers]})


def viewers(window: LiveWindow, since: int = 0) -> list[int]:
    return [row["concurrent_viewers"] for row in window.rows(since)]


def test_the_first_round_is_the_whole_window() -> None:
    window = LiveWindow(QUESTION)
    window.take(found(1, 2, 3))
    assert (window.round, viewers(window)) == (1, [1, 2, 3])


def test_only_what_changed_is_told_also_of_old_buckets() -> None:
    window = LiveWindow(QUESTION)
    window.take(found(1, 2, 3))
    window.take(found(1, 7, 3))
    window.take(found(1, 7, 8))
    assert viewers(window, 1) == [7, 8]
    assert viewers(window, 2) == [8]


def test_the_window_moves_on() -> None:
    window = LiveWindow(QUESTION)
    window.take(found(1, 2, 3))
    window.take(found(2, 3, 4, first=1))
    assert viewers(window, 1) == [4]
    assert viewers(window) == [2, 3, 4]


def test_a_series_that_goes_makes_what_changed_too_little() -> None:
    window = LiveWindow(QUESTION)
    window.take(found(1, key=("a", False)))
    window.take(found(1, key=("b", False)))
    assert window.whole_since == 2


def test_totals_are_of_the_newest_moment_and_the_whole_window() -> None:
    window = LiveWindow(QUESTION)
    span = Span(FROM_MS, FROM_MS + 2 * BUCKET_MS)
    window.take(
        LiveNumbers(span, {ALL: [sums(9, 2), sums(4, 1)], ("b", False): [sums(9), sums(1)]})
    )
    assert window.totals()["concurrent_viewers"] == 5
    assert window.totals()["starts"] == 3


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups by size, as the store would tell; what was asked is the answer."""
    names: list[str] = []

    async def largest(_: Any, question: LiveQuestion) -> list[str]:
        return names[: question.limit]

    async def numbers(_: Any, question: LiveQuestion, asked: list[str]) -> LiveNumbers:
        return LiveNumbers(question.span, {(name, False): [] for name in asked})

    monkeypatch.setattr(live_feed, "largest", largest)
    monkeypatch.setattr(live_feed, "numbers", numbers)
    return names


async def test_groups_keep_their_place_for_a_minute(ranked: list[str]) -> None:
    question = LiveQuestion(
        span=Span(0, MINUTE_MS), scope=Scope(), group_by=catalogue().dimension("cdn"), limit=2
    )
    feed = LiveFeed(cast("Reader", None), question)
    seen = []
    for after_ms, names in ((0, "a"), (1, "ba"), (2, "cba"), (MINUTE_MS, "cba")):
        ranked[:] = names
        seen.append([key[0] for key in (await feed.ask(FROM_MS + after_ms)).series])
    assert seen == [["a"], ["a", "b"], ["a", "b"], ["c", "b"]]


async def test_the_window_ends_now_and_begins_at_a_bucket(ranked: list[str]) -> None:
    span = (await LiveFeed(cast("Reader", None), QUESTION).ask(FROM_MS + 1_234)).span
    assert span == Span(FROM_MS + BUCKET_MS - MINUTE_MS, FROM_MS + 1_234)
