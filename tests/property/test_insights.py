"""An impact equals the difference of two answers of the metric itself; chance alone has none."""

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
        "/v1/insights", metric=metric, measurement=measurement, min_views="1", noise="true",
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


def by_chance(rng: random.Random) -> dict[str, Any]:
    """Return a view whose numbers have nothing to do with its thirty values of dimensions."""
    started, stalls = rng.random() > 0.03, rng.random() < 0.1
    kbps = rng.lognormvariate(8, 0.5) if started else None
    return view_row(
        country=f"c{rng.randrange(12)}", cdn=rng.choice("abcd"), asn=rng.randrange(8),
        os=rng.choices("xyz", (80, 18, 2))[0], browser=rng.choice("pqr"),
        startup_ms=rng.lognormvariate(7, 1) if started else None,
        exit_before_start=not started, startup_failed=rng.random() < 0.004,
        playback_failed=rng.random() < 0.01, watch_ms=rng.expovariate(1e-6),
        playing_ms=rng.expovariate(1e-6) if started else 0.0,
        rebuffer_ms=rng.expovariate(1e-4) if stalls else 0.0, bitrate_kbps=kbps,
        bitrate_weight_ms=rng.expovariate(1e-6) if kbps else 0.0, score=rng.gauss(80, 10),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_what_differs_by_chance_is_not_told(
    api: Answering, store: RunningStore, seed: int
) -> None:
    rng = random.Random(seed)
    views = [by_chance(rng) for _ in range(3_000)]
    insert_views(store, *views)
    noise = await api.data("/v1/insights", noise="true")
    assert len(noise) == 50
    assert noise[0]["relative_impact"] > 0.01
    assert await api.data("/v1/insights") == []


async def test_what_is_no_chance_is_told_first(api: Answering, store: RunningStore) -> None:
    rng = random.Random(0)
    views = [by_chance(rng) for _ in range(3_000)]
    for view in views:
        if view["cdn"] == "b" and view["startup_ms"]:
            view["startup_ms"] *= 1.5
    insert_views(store, *views)
    rows = await api.data("/v1/insights", pairs="false")
    named = {(row["metric"], row["dimension"]) for row in rows}
    assert (rows[0]["value"], named) == ("b", {("startup_time", "cdn")})
