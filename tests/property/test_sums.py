"""The sum of a breakdown is the total: every additive metric, every dimension, whatever the rows."""

import asyncio
import random
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from playhead.model.event import Context
from playhead.query.catalogue import Metric, catalogue
from playhead.query.source import SOURCES, SourceName
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.door_rows import insert_frames, insert_requests
from support.metric_vectors import insert_events
from support.running_store import RunningStore, running_store

ROWS = 200
METRICS = catalogue().metrics
WORDS = ("", "a", "ß", "other", "A'; --")


def dimensions_of(source: SourceName) -> list[str]:
    """Every dimension of a source, a custom one too where there are any."""
    custom = ["custom.plan"] if SOURCES[source].of_views else []
    return [*catalogue().dimensions_of(source), *custom]


def additive(metric: Metric) -> str | None:
    """The measurement by which a metric adds up, None where it does not."""
    if metric.kind in {"count", "sum"}:
        return metric.allowed()[0]
    if metric.kind in {"distinct", "concurrent"}:
        return None
    return next((one for one in ("sum", "count") if one in metric.allowed()), None)


def some_views(chance: random.Random) -> list[dict[str, Any]]:
    """Views with every field drawn anew; few different values, some empty."""
    rows = []
    for _ in range(ROWS):
        plain = view_row(started_at=NOW_MS - chance.randrange(60_000, 3_000_000))
        drawn = {name: _drawn(chance, name, value) for name, value in plain.items()}
        drawn |= _drawn_intervals(chance, plain["started_at"])
        autoplay = chance.choice([None, False, True])
        rows.append(drawn | {"autoplay": autoplay, "custom": {"plan": chance.choice(["", "gold"])}})
    return rows


def _drawn_intervals(chance: random.Random, at: int) -> dict[str, list[Any]]:
    """Up to four intervals, one after the other, some without length or rendition; or none."""
    lengths = [chance.choice([0, 1, 2_500, 60_000]) for _ in range(chance.randrange(5))]
    starts = [at + sum(lengths[:number]) for number in range(len(lengths))]
    columns: dict[str, tuple[Any, ...]] = {
        "state": ("playing", "rebuffering", "paused", "seeking"), "position_from_s": (0.0,),
        "position_to_s": (0.0,), "bitrate_kbps": (0, 800, 3_000), "height": (0, 360, 720),
        "cdn": WORDS,
    }  # fmt: skip
    drawn = {
        f"interval_{name}": [chance.choice(values) for _ in lengths]
        for name, values in columns.items()
    }
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    return drawn | {"interval_from": starts, "interval_to": ends}


def some_requests(chance: random.Random) -> list[dict[str, Any]]:
    """Media requests of players; each field missing at times, some beyond what is counted."""
    fields: dict[str, tuple[Any, ...]] = {
        "kind": ("video", "manifest"), "host": WORDS, "cdn": WORDS, "status": (0, 200, 404, 700),
        "bytes": (0.0, 1_000.5, -1.0, 1e13), "ttfbMs": (0.0, 20.25, 1e9), "totalMs": (0.0, 250.0),
    }  # fmt: skip
    event_types = ("request", "requestCompleted", "requestCanceled", "requestFailed")
    wires = ("viewId", "sessionId", "viewerId", "videoId", "streamType", "host", "cdn",
             "playerName", "playerVersion", "experiment", "variant")  # fmt: skip
    texts = dict.fromkeys(wires, WORDS[1:])
    context: dict[str, tuple[Any, ...]] = {
        name: (0, 7) if name == "asn" else (False, True) if name in {"bot", "internal"} else WORDS
        for name in Context.__struct_fields__
    }
    return [
        _some(chance, texts) | {
            "timestamp": NOW_MS - chance.randrange(60_000, 3_000_000),
            "eventType": chance.choice(event_types),
            "request": _some(chance, fields),
            "network": _some(chance, {"effectiveType": ("4g", "3g")}),
            "context": {name: chance.choice(values) for name, values in context.items()},
        }
        for _ in range(ROWS)
    ]  # fmt: skip


def _some(chance: random.Random, fields: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
    """Return a value of most of the fields."""
    return {name: chance.choice(values) for name, values in fields.items() if chance.random() < 0.8}


def _drawn(chance: random.Random, name: str, value: Any) -> Any:
    if name in FIXED or isinstance(value, list | dict):
        return value
    if isinstance(value, bool):
        return chance.random() < 0.3
    if isinstance(value, int):
        return chance.randrange(4)
    if isinstance(value, str):
        return chance.choice(WORDS)
    return chance.choice([None if value is None else 0.0, 1.5, 2_000.25, 7.0])


FIXED = {
    "view_id", "view_key", "first_seen_day", "started_at", "ended_at", "last_event_at", "live_until",
    "received_at", "fold_version", "last_offset", "version", "state", "score_version",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningStore, None, None]:
    with running_store(tmp_path_factory.mktemp("store")) as running:
        insert_all(running, seed=NOW_MS // 3_600_000)
        yield running


@pytest.fixture
async def api(store: RunningStore, tmp_path: Path) -> AsyncGenerator[Answering, None]:
    app = Answering(store, tmp_path)
    yield app
    await app.close()


def insert_all(store: RunningStore, seed: int) -> None:
    chance = random.Random(seed)
    insert_views(store, *some_views(chance))
    insert_events(store, *some_requests(chance))
    words = ["", "a", "ß"]
    insert_requests(store, *(
        {"cdn": chance.choice(words), "pop": chance.choice(words), "country": chance.choice(words),
         "status": chance.choice([200, 404]), "bytes_out": chance.choice([None, 10.0, 2.5]),
         "bot": chance.random() < 0.2, "cache": chance.choice(["hit", "miss"])}
        for _ in range(ROWS)
    ))  # fmt: skip
    insert_frames(store, *(
        {"stream_id": chance.choice(["x", "y"]), "dropped_frames": chance.choice([None, 1.0]),
         "resolution": chance.choice(words)}
        for _ in range(ROWS)
    ))  # fmt: skip


_TOTALS: dict[str, dict[str, Any]] = {}
"""What was answered once: the rows stay the same."""


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
async def test_the_sum_of_a_breakdown_is_the_total(api: Answering, source: SourceName) -> None:
    found = [(one, additive(one)) for one in METRICS.values() if one.source == source]
    said: list[str] = []
    for dimension in dimensions_of(source):
        asked = [check(api, one, how, dimension) for one, how in found if how is not None]
        said += await asyncio.gather(*asked)
    assert said
    assert not [one for one in said if one]


async def check(api: Answering, metric: Metric, measurement: str, dimension: str) -> str:
    """Say what does not add up."""
    asked: dict[str, Any] = {"from_": "-2h", "measurement": measurement}
    if metric.source != "frames":
        asked["filters"] = ["bot:true", "bot:false"]
    path, counted = f"/v1/metrics/{metric.id}", metric.of().counted
    if metric.id not in _TOTALS:
        _TOTALS[metric.id] = await api.data(f"{path}/overall", **asked)
    total = _TOTALS[metric.id]
    rows = await api.data(f"{path}/breakdown", group_by=dimension, limit=1_000, **asked)
    value = sum(row["value"] or 0 for row in rows)
    count = sum(row[counted] for row in rows)
    same = value == pytest.approx(total["value"] or 0) and count == total[counted]
    return "" if same else f"{metric.id} by {dimension}: {value} of {total['value']}"
