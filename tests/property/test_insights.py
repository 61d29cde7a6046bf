"""An impact equals the difference of two answers of the metric itself."""

import random
from typing import Any

import pytest

from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]
METRICS = (
    ("views", "count"), ("watch_time", "sum"), ("watch_time", "avg"), ("startup_time", "avg"),
    ("rebuffer_percentage", "percentage"), ("rebuffer_percentage", "conviva"),
    ("exits_before_video_start", "percentage"), ("exits_before_video_start", "count"),
    ("weighted_bitrate", "avg"), ("score", "avg"),
)  # fmt: skip


def drawn(rng: random.Random) -> dict[str, Any]:
    """Return a view of some country, CDN and plan, with or without each number."""
    exits = rng.random() < 0.2
    kbps = rng.choice([None, 500.0, 4000.0])
    return view_row(
        country=rng.choice(["DE", "FR", ""]), cdn=rng.choice(["a", "b"]), asn=rng.choice([0, 7]),
        custom={"plan": rng.choice(["x", "y'"])}, exit_before_start=exits,
        startup_ms=None if exits else rng.random() * 5000, watch_ms=rng.random() * 1e6,
        playing_ms=rng.random() * 1e6, rebuffer_ms=rng.choice([0.0, rng.random() * 1e5]),
        bitrate_kbps=kbps, bitrate_weight_ms=rng.random() * 1e6 if kbps else 0.0,
        score=rng.choice([None, rng.random() * 100]), starting_ms=rng.random() * 5000,
        started_at=NOW_MS - rng.randint(1_000_000, 80_000_000),
    )  # fmt: skip


@pytest.mark.parametrize(("metric", "measurement"), METRICS)
async def test_the_impact_is_the_difference_of_two_answers(
    api: Answering, store: RunningStore, metric: str, measurement: str
) -> None:
    rng = random.Random(metric)
    insert_views(store, *(drawn(rng) for _ in range(150)))
    rows = await api.data(
        "/v1/insights", metric=metric, measurement=measurement, min_views="1",
        dimensions="country,cdn,asn,custom.plan", pairs="false",
    )  # fmt: skip
    assert {(row["dimension"], row["value"]) for row in rows} >= {("country", ""), ("asn", "7")}
    path = f"/v1/metrics/{metric}/overall"
    everything = await api.data(path, measurement=measurement)
    for row in rows:
        chosen = f"{row['dimension']}:{row['value']}"
        own = await api.data(path, measurement=measurement, filters=chosen)
        without = await api.data(path, measurement=measurement, filters=f"!{chosen}")
        sign = -1 if row["better"] == "higher" else 1
        difference = sign * (everything["value"] - without["value"])
        assert row["negative_impact"] == pytest.approx(difference, rel=1e-6, abs=1e-9)
        assert row["views"] == own["views"]
        assert row["metric_value"] == (
            None if own["value"] is None else pytest.approx(own["value"])
        )
