"""Who watches now: the store's running sums against a plain count in Python."""

import random
from typing import Any

import pytest

from playhead.query.catalogue import catalogue
from playhead.query.live import LiveQuestion, fields_of
from playhead.query.live_feed import LiveFeed
from playhead.query.reader import Reader
from playhead.query.scope import Scope
from playhead.query.span import Span
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]

STATES = (
    "starting", "playing", "rebuffering", "seeking", "paused", "ad", "ad_rebuffering", "unknown",
    "idle",
)  # fmt: skip
COUNTED = {"starting", "playing", "rebuffering", "ad", "ad_rebuffering"}
FIVE_MINUTES_MS = 300_000


def random_view(seeded: random.Random) -> dict[str, Any]:
    at = NOW_MS - seeded.randrange(0, 2_400_000)
    intervals = []
    for _ in range(seeded.randrange(0, 6)):
        following = min(NOW_MS, at + seeded.choice([0, 1, 4_999, 5_000, 5_001, 60_000, 700_000]))
        kbps = seeded.choice([0, 500, 3_000])
        intervals.append((seeded.choice(STATES), at, following, kbps))
        at = following
    final = seeded.random() < 0.5
    start = intervals[0][1] if intervals else at
    return view_row(
        started_at=start, intervals=intervals, final=final, cdn=seeded.choice(["a", "b", "", "c"]),
        live_until=at if final else at + seeded.choice([0, 30_000, 90_000_000]),
        status=seeded.choice(["ended", "failed"]) if final else "playing", version=1,
    )  # fmt: skip


def ends_of(row: dict[str, Any]) -> list[tuple[str, int, int, float]]:
    """Return the intervals as readers see them: the last one of an open view goes on."""
    found = []
    for number, state in enumerate(row["interval_state"]):
        low, high = row["interval_from"][number], row["interval_to"][number]
        if not row["final"] and number == len(row["interval_state"]) - 1:
            high = max(high, min(NOW_MS + 1, row["live_until"]))
        if state in {"rebuffering", "ad_rebuffering"}:
            high = min(high, low + FIVE_MINUTES_MS)
        found.append((state, low, high, row["interval_bitrate_kbps"][number]))
    return found


def counted(rows: list[dict[str, Any]], start: int) -> dict[str, Any]:
    """Return the numbers of the bucket that starts at `start`, one view after the other."""
    end = start + 5_000
    here = [
        (state, kbps)
        for row in rows
        for state, low, high, kbps in ends_of(row)
        if low <= end < high and state in COUNTED
    ]
    failed = sum(row["status"] == "failed" and start <= row["ended_at"] < end for row in rows)
    stalled = sum(state in {"rebuffering", "ad_rebuffering"} for state, _ in here)
    rates = [kbps for state, kbps in here if state == "playing" and kbps]
    viewers = len(here) + failed
    return {
        "concurrent_viewers": viewers,
        "starting_up": sum(state == "starting" for state, _ in here),
        "rebuffering": stalled,
        "rebuffering_percentage": round(100 * stalled / viewers, 3) if viewers else None,
        "bitrate_kbps": round(sum(rates) / len(rates), 1) if rates else None,
        "failures": failed,
        "starts": sum(start <= row["started_at"] < end for row in rows),
    }


@pytest.mark.parametrize("seed", range(4))
async def test_live_numbers_equal_a_plain_count(
    api: Answering, store: RunningStore, seed: int
) -> None:
    seeded = random.Random(seed)
    rows = [random_view(seeded) for _ in range(120)]
    insert_views(store, *rows)
    answer = await api.data("/v1/live", minutes=30)
    assert len(answer) == 360
    for number, found in enumerate(answer):
        expected = counted(rows, NOW_MS - 1_800_000 + number * 5_000)
        assert found == {"time": found["time"]} | expected, number


async def test_live_groups_add_up_and_small_ones_go_together(
    api: Answering, store: RunningStore
) -> None:
    seeded = random.Random(9)
    insert_views(store, *(random_view(seeded) for _ in range(120)))
    whole = await api.data("/v1/live", minutes=5)
    parts = await api.data("/v1/live", minutes=5, group_by="cdn", limit=2)
    for field in ("concurrent_viewers", "failures", "starts"):
        for one in whole:
            total = sum(part[field] for part in parts if part["time"] == one["time"])
            assert total == one[field]
    assert {part["other"] for part in parts} == {True, False}


@pytest.mark.parametrize("seed", range(3))
async def test_concurrent_viewers_over_time_equal_a_plain_count(
    api: Answering, store: RunningStore, seed: int
) -> None:
    seeded = random.Random(seed)
    rows = [random_view(seeded) for _ in range(60)]
    insert_views(store, *rows)
    given = {"from_": "-40m", "interval": "5m"}
    peaks = await api.data("/v1/metrics/concurrent_viewers/timeseries", **given)
    means = await api.data("/v1/metrics/concurrent_viewers/timeseries", measurement="avg", **given)
    spans = [one for row in rows for one in ends_of(row) if one[0] in COUNTED]
    for number in range(8):
        begin = NOW_MS - 2_400_000 + number * 300_000
        moments = range(begin, begin + 300_000, 5_000)
        peak = max(sum(low <= at < high for _, low, high, _ in spans) for at in moments)
        inside = sum(
            max(0, min(high, begin + 300_000) - max(low, begin)) for _, low, high, _ in spans
        )
        assert peaks[number]["value"] == peak
        assert means[number]["value"] == pytest.approx(inside / 300_000, abs=1e-3)


async def test_concurrency_groups_have_their_own_numbers(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, view_row(cdn="a"), view_row(cdn="a"), view_row(cdn="b"))
    rows = await api.data("/v1/metrics/concurrent_viewers/breakdown", group_by="cdn")
    assert [(row["group"], row["value"]) for row in rows] == [("a", 2), ("b", 1)]


async def test_a_view_of_last_week_that_still_plays_is_live(
    api: Answering, store: RunningStore
) -> None:
    start = NOW_MS - 5 * 86_400_000
    row = view_row(
        started_at=start, final=False, live_until=NOW_MS + 30_000,
        intervals=[("playing", start, NOW_MS - 1_000)],
    )  # fmt: skip
    insert_views(store, row)
    answer = await api.data("/v1/live", minutes=1)
    assert {one["concurrent_viewers"] for one in answer[:-1]} == {1}


async def test_a_bucket_under_way_ends_at_the_moment_asked(
    api: Answering, store: RunningStore
) -> None:
    at = NOW_MS - 2_500
    begun = NOW_MS - 60_000
    insert_views(
        store,
        view_row(intervals=[("playing", begun, NOW_MS - 1_000)], started_at=begun),
        view_row(intervals=[("playing", begun, at - 500)], started_at=begun),
        view_row(intervals=[("playing", at + 500, NOW_MS)], started_at=at + 500),
        view_row(
            intervals=[("playing", begun, at - 9_000)], started_at=begun, final=False,
            live_until=at + 9_000,
        ),
    )  # fmt: skip
    reader = Reader(api.store, api.config, api.clock, catalogue())
    question = LiveQuestion(span=Span(0, 60_000), scope=Scope())
    found = await LiveFeed(reader, question).ask(at)
    newest = [fields_of(sums) for sums in found.series["", False]][-2:]
    assert [one["concurrent_viewers"] for one in newest] == [3, 2]
    assert found.span == Span(NOW_MS - 60_000, at)
