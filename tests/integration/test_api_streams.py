"""Frames in, the health of streams out."""

from typing import Any

import pytest

from playhead.query.catalogue import catalogue
from playhead.query.span import iso
from support.answering import NOW_MS, Answering
from support.api_fixtures import api, store
from support.door_rows import insert_frames
from support.running_store import RunningStore

__all__ = ["api", "store"]

START = NOW_MS - 60_000


@pytest.fixture(autouse=True)
def empty(store: RunningStore) -> None:
    store.client.command("TRUNCATE TABLE playhead.stream_frames")


def at(*seconds: float, **fields: Any) -> list[dict[str, Any]]:
    """Return a record at each of the seconds after the start."""
    return [{"at": START + round(one * 1000), **fields} for one in seconds]


async def test_streams_of_a_span(api: Answering, store: RunningStore) -> None:
    insert_frames(
        store,
        *at(0, 1, 2, bitrate_kbps=3000, fps=30, dropped_frames=2, resolution="720p"),
        *at(3, bitrate_kbps=1000, fps=26, resolution="360p"),
        *at(0, stream_id="old"),
    )
    first, second = await api.data("/v1/streams")
    assert first == {
        "stream_id": "cam", "property": "default", "first_seen_at": iso(START),
        "last_seen_at": iso(START + 3_000), "records": 4, "per_frame": False, "resolution": "360p",
        "bitrate_kbps": 2500, "fps": 29, "dropped_frames": 6, "gap_ms": 0, "gaps": 0,
    }  # fmt: skip
    assert second["stream_id"] == "old"


async def test_records_a_second_await_the_next_one_and_a_half(
    api: Answering, store: RunningStore
) -> None:
    insert_frames(store, *at(0, 1, 2, 3, 6, 7.5, fps=30))
    (row,) = await api.data("/v1/streams")
    assert (row["gap_ms"], row["gaps"]) == (1_500, 1)


async def test_silence_lies_in_its_seconds(api: Answering, store: RunningStore) -> None:
    insert_frames(store, *at(0, 1, 4.25, fps=30, dropped_frames=1, bitrate_kbps=100))
    span = {"from_": iso(START), "to": iso(START + 6_000)}
    rows = await api.data("/v1/streams/cam", **span)
    assert [row["gap_ms"] for row in rows] == [0, 0, 500, 1000, 250, 0]
    assert [row["records"] for row in rows] == [1, 1, 0, 0, 1, 0]


async def test_a_record_a_frame_is_counted_and_awaited_by_its_rate(
    api: Answering, store: RunningStore
) -> None:
    frames = at(*(n * 0.04 for n in range(25)), *(1.2 + n * 0.04 for n in range(20)), fps=25)
    insert_frames(store, *frames)
    span = {"from_": iso(START), "to": iso(START + 2_000)}
    first, second = await api.data("/v1/streams/cam", **span)
    assert (first["fps"], first["gap_ms"]) == (25, 0)  # silent from 960 + 60 ms on
    assert (second["fps"], second["gap_ms"]) == (20, 180)


async def test_gaps_of_the_list_are_those_of_the_seconds(
    api: Answering, store: RunningStore
) -> None:
    insert_frames(store, *at(*(n * n * 0.005 for n in range(60)), fps=20))
    (listed,) = await api.data("/v1/streams")
    for interval in ("1s", "10s", "1m"):
        rows = await api.data("/v1/streams/cam", interval=interval)
        assert sum(row["gap_ms"] for row in rows) == pytest.approx(listed["gap_ms"])
    assert listed["gap_ms"] > 0


async def test_meta_holds_the_stream_and_the_interval(api: Answering, store: RunningStore) -> None:
    insert_frames(store, *at(0, stream_id="a/b ü"))
    meta = (await api.get("/v1/streams/a%2Fb%20ü", interval="5s")).json()["meta"]
    assert (meta["interval"], meta["stream"]["stream_id"]) == ("5s", "a/b ü")


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/v1/streams/none", {}, 404),
        ("/v1/streams/cam", {"interval": "2s"}, 400),
        ("/v1/streams/cam", {"from_": "-2d"}, 400),
        ("/v1/streams/cam", {"group_by": "resolution"}, 400),
        ("/v1/streams", {"filters": "pop:x"}, 400),
        ("/v1/streams", {"limit": "0"}, 400),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    api: Answering, path: str, asked: dict[str, str], status: int
) -> None:
    assert (await api.get(path, **asked)).status_code == status


@pytest.mark.parametrize(
    ("metric", "measurement", "expected"),
    [
        ("stream_bitrate", "avg", 2000),
        ("stream_bitrate", "median", 1000),
        ("stream_fps", "avg", 20),
        ("stream_dropped_frames", "sum", 5),
    ],
)
async def test_metrics_of_frames(
    api: Answering, store: RunningStore, metric: str, measurement: str, expected: float
) -> None:
    insert_frames(
        store, *at(0, bitrate_kbps=1000, fps=20, dropped_frames=5), *at(1, bitrate_kbps=3000)
    )
    data = await api.data(f"/v1/metrics/{metric}/overall", measurement=measurement)
    assert data["value"] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("dimension", sorted(catalogue().dimensions_of("frames")))
async def test_every_dimension_groups(api: Answering, store: RunningStore, dimension: str) -> None:
    insert_frames(store, *at(0, fps=30))
    path = "/v1/metrics/stream_fps/breakdown"
    (row,) = await api.data(path, group_by=dimension)
    assert (row["value"], row["records"]) == (30, 1)


async def test_a_token_of_a_property_sees_nothing_else(api: Answering, store: RunningStore) -> None:
    insert_frames(store, *at(0, 1, property="p"))
    insert_frames(store, *at(2, 3, 4, property="q"), *at(2, stream_id="theirs", property="q"))
    token = api.token("read", "p")
    rows = await api.data("/v1/streams", token=token)
    assert [(row["property"], row["records"]) for row in rows] == [("p", 2)]
    assert sum(row["records"] for row in await api.data("/v1/streams/cam", token=token)) == 2
    assert (await api.get("/v1/streams/theirs", token=token)).status_code == 404
    assert sum(row["records"] for row in await api.data("/v1/streams/cam")) == 3
