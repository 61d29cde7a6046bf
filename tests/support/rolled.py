"""Views of some weeks and questions about them, asked of two apps: with rollups and without."""

import math
import random
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from playhead.query.catalogue import catalogue
from playhead.query.pieces import layout_of, taken
from playhead.store.rollup import Rollups
from support.answering import NOW_MS, Answering, view_row
from support.api_fixtures import store
from support.running_store import RunningStore

__all__ = ["apps", "store"]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DAYS = 7
LONG_DAYS = 14
"""At least one week of them is over, and whole."""
TODAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
START_MS = NOW_MS // DAY_MS * DAY_MS - DAYS * DAY_MS
LONG_AGO_MS = NOW_MS // DAY_MS * DAY_MS - LONG_DAYS * DAY_MS
COUNTRIES = ("DE", "FR", "", "US")
SUMMED = [
    (metric.id, measurement)
    for metric in catalogue().metrics.values()
    for measurement in metric.allowed()
    if (found := taken(metric, measurement)) is not None and not found.relative_error
]


def random_view(draw: random.Random) -> dict[str, Any]:
    start = LONG_AGO_MS + draw.randrange(LONG_DAYS * DAY_MS + NOW_MS % DAY_MS)
    length = draw.randrange(20 * HOUR_MS)
    seen = start + draw.choice([0, 0, 0, draw.randrange(3 * DAY_MS)])
    started = draw.random() < 0.9
    return view_row(
        view_id=f"v{draw.randrange(10**9)}", started_at=start, ended_at=start + length,
        first_seen_day=datetime.fromtimestamp(min(seen, NOW_MS) / 1000, UTC).date().isoformat(),
        property=draw.choice(["one", "two"]), country=draw.choice(COUNTRIES),
        cdn=draw.choice(["a", "b", "c"]), asn=draw.choice([0, 3320]),
        autoplay=draw.choice([None, True, False]), bot=draw.random() < 0.1,
        internal=draw.random() < 0.1, viewer_id=draw.choice(["", *(f"u{n}" for n in range(90))]),
        startup_ms=float(draw.randrange(1, 9_000)) if started else None,
        exit_before_start=not started, watch_ms=float(draw.choice([0, draw.randrange(10**6)])),
        playing_ms=float(draw.randrange(10**6)), rebuffer_ms=float(draw.randrange(10**4)),
        rebuffer_count=draw.randrange(4), seek_count=draw.randrange(3), seek_ms=900.0,
        bitrate_kbps=draw.choice([None, 900.0, 4_000.0]), bitrate_weight_ms=1_000.0,
        dropped_frames=draw.choice([None, 3.0]), decoded_frames=draw.choice([None, 900.0]),
        score=draw.choice([None, 50.0, 75.5]), errors=draw.randrange(3),
    )  # fmt: skip


def random_question(draw: random.Random) -> tuple[str, dict[str, Any]]:
    metric, measurement = draw.choice(SUMMED)
    form = draw.choice(["overall", "breakdown", "timeseries"])
    grain = draw.choice([1, HOUR_MS, DAY_MS])
    first = LONG_AGO_MS - DAY_MS + draw.randrange((LONG_DAYS + 1) * DAY_MS) // grain * grain
    last = min(NOW_MS, first + grain * (1 + draw.randrange((LONG_DAYS + 1) * DAY_MS) // grain))
    values: dict[str, Any] = {"measurement": measurement, "from_": first, "to": last}
    group = draw.choice(["country", "cdn", "asn", "autoplay", "property", "bot"])
    if form == "breakdown" or (form == "timeseries" and draw.random() < 0.5):
        values |= {"group_by": group, "limit": draw.choice([2, 20])}
    filters = [
        one
        for one in ("country:DE", "!country:DE", "country~e", "property:one", "bot:true", "cdn:a")
        if draw.random() < 0.15
    ]
    if filters:
        values["filters"] = filters
    if form == "timeseries":
        values["interval"] = draw.choice(["1h", "1d"])
        values["timezone"] = draw.choice(["UTC", "Europe/Berlin", "Asia/Kolkata"])
    return f"/v1/metrics/{metric}/{form}", values


@pytest.fixture
async def apps(
    store: RunningStore, tmp_path: Path
) -> AsyncGenerator[tuple[Answering, Answering], None]:
    """Two apps over one store: one reads rollups, the other does not."""
    for table in ("views", "view_rollup", "view_rollup_state", "view_rollup_long"):
        store.client.command(f"TRUNCATE TABLE playhead.{table}")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    both = [
        Answering(store, tmp_path / folder, use_rollups=use)
        for use, folder in ((True, "a"), (False, "b"))
    ]
    yield both[0], both[1]
    for app in both:
        await closed(app)


async def closed(app: Answering) -> None:
    await app.http.aclose()
    await app.store.close()
    app.tokens.close()
    app.ledger.close()


def rollups(store: RunningStore, *, settled: bool = False, values_max: int = 1_000) -> Rollups:
    layout = layout_of(catalogue())
    return Rollups(store.client, layout, values_max=values_max, settled=settled)


def make(store: RunningStore) -> list[str]:
    """Make what is due; return the days of it."""
    return [day for day in rollups(store).make(TODAY, days_max=100) if "/" not in day]


def same(left: Any, right: Any) -> bool:
    """Compare answers: counts and sums of whole numbers exactly, quotients to the last digits."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, int | float):
        return left == right or (not left.is_integer() and math.isclose(left, right, rel_tol=1e-12))
    return bool(left == right)
