"""A curve from the store equals one counted second by second, for any views."""

import random
from itertools import pairwise
from typing import Any

import pytest

from support.answering import Answering, insert_views
from support.api_fixtures import api, store
from support.running_store import RunningStore
from support.watching import watching

__all__ = ["api", "store"]
LENGTH = 40
Run = tuple[float, float]


def drawn(rng: random.Random) -> list[list[Run]]:
    """Return the runs of some views: eighths of a second, some to no end of the title."""
    runs = []
    for _ in range(rng.randint(1, 12)):
        lows = [rng.randrange(LENGTH * 8) / 8 for _ in range(rng.randint(1, 5))]
        runs.append([(low, low + rng.randint(1, 80) / 8) for low in lows])
    return runs


def overlap(run: Run, start: float, end: float) -> float:
    return max(0.0, min(run[1], end) - max(run[0], start))


@pytest.mark.parametrize("resolution", [1, 3, 7])
async def test_the_curve_is_what_counting_gives(
    api: Answering, store: RunningStore, resolution: int
) -> None:
    rng = random.Random(resolution)
    titles = {f"t{number}": drawn(rng) for number in range(20)}
    insert_views(store, *(
        watching(*runs, video_id=title, duration_s=float(LENGTH))
        for title, views in titles.items() for runs in views
    ))  # fmt: skip
    for title, views in titles.items():
        rows = await api.data(f"/v1/retention/{title}", resolution=str(resolution))
        assert rows[-1]["end_s"] == LENGTH
        for row in rows:
            span = row["start_s"], row["end_s"]
            present = sum(any(overlap(run, *span) > 0 for run in runs) for runs in views)
            watched = sum(overlap(run, *span) for runs in views for run in runs)
            assert row["views"] == present
            assert 0 <= row["absolute"] <= 1
            assert row["absolute"] == pytest.approx(present / len(views), abs=1e-6)
            ratio = watched / (span[1] - span[0]) / len(views)
            assert row["audience_watch_ratio"] == pytest.approx(ratio, abs=1e-6)


async def test_the_seconds_add_up_to_what_was_played(api: Answering, store: RunningStore) -> None:
    rng = random.Random(9)
    titles = {f"t{number}": drawn(rng) for number in range(20)}
    insert_views(store, *(
        watching(*runs, video_id=title, duration_s=None)
        for title, views in titles.items() for runs in views
    ))  # fmt: skip
    for title, views in titles.items():
        response = (await api.get(f"/v1/retention/{title}")).json()
        found: dict[str, Any] = response["meta"]["retention"]
        summed = sum(
            row["audience_watch_ratio"] * (row["end_s"] - row["start_s"]) * len(views)
            for row in response["data"]
        )
        assert summed == pytest.approx(found["content_played_s"], abs=0.01)
        started = sum(row["started_watching"] for row in response["data"])
        assert started == sum(row["stopped_watching"] for row in response["data"])


def test_the_draws_hold_repeats_and_skips() -> None:
    views = [view for seed in range(20) for view in drawn(random.Random(seed))]
    assert any(a[0] < b[1] and b[0] < a[1] for view in views for a, b in pairwise(view))
    assert any(len(view) == 1 for view in views)
