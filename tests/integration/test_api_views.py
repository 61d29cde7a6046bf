"""Views as rows: pages, one view, forms of output."""

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from playhead.model import event_row
from playhead.query.span import iso
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]


@pytest.mark.parametrize("order", ["started_at", "watch_ms:asc", "score:desc", "startup_ms:asc"])
async def test_pages_hold_every_view_once_also_while_views_arrive(
    api: Answering, store: RunningStore, order: str
) -> None:
    rows = [
        view_row(view_id=f"v{n:02}", watch_ms=n // 4, score=None if n % 3 else n, startup_ms=n % 5)
        for n in range(25)
    ]
    insert_views(store, *rows)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        response = await api.get("/v1/views", order=order, limit=7, cursor=cursor)
        seen += [row["view_id"] for row in response.json()["data"]]
        cursor = response.json()["meta"]["next_cursor"]
        api.clock.advance(1_000)
    assert sorted(seen) == [row["view_id"] for row in rows]


@pytest.mark.parametrize("view_id", ["a/b", "a\nb", "?#%2F", "é '\\"])
async def test_a_view_is_found_by_any_id(api: Answering, store: RunningStore, view_id: str) -> None:
    insert_views(store, view_row(view_id=view_id))
    row = await api.data(f"/v1/views/{quote(view_id, safe='')}")
    assert row["view_id"] == view_id


async def test_rows_bear_the_promised_names(api: Answering, store: RunningStore) -> None:
    insert_views(store, view_row(view_id="v1", custom={"plan": "gold"}))
    (row,) = await api.data("/v1/views", filters="custom.plan:gold")
    promised = (
        "view_id, session_id, viewer_id, video_id, property, started_at, ended_at, last_event_at,"
        " status, startup_ms, playing_ms, watch_ms, rebuffer_count, rebuffer_ms, seek_count,"
        " seek_ms, pause_ms, ad_ms, bitrate_kbps, upshifts, downshifts, dropped_frames,"
        " decoded_frames, live_latency_ms, errors, fatal_error_code, score"
    )
    assert set(promised.split(", ")) <= set(row)
    assert row["started_at"] == iso(NOW_MS - 600_000)
    assert "state" not in row


async def test_one_view_has_intervals_and_events(api: Answering, store: RunningStore) -> None:
    start = NOW_MS - 600_000
    insert_views(
        store,
        view_row(
            view_id="v/1", video_id="m", started_at=start,
            intervals=[("starting", start, start + 500), ("playing", start + 500, start + 9_000, 3_000)],
        ),
    )  # fmt: skip
    event = dict.fromkeys(event_row.COLUMNS) | {
        "view_key": "default/v/1", "at": start, "identity": 1, "kind": "play",
        "received_at": start, "log_offset": 0, "log_index": 0, "door": "telemetry",
        "property": "default", "event_type": "PLAY", "custom": '{"a":"b"}',
    }  # fmt: skip
    line = msgspec.json.encode([event[name] for name in event_row.COLUMNS])
    store.client.insert("events", event_row.COLUMNS, line, token="one-view")  # noqa: S106 (a block's name)
    data = await api.data("/v1/views/v/1")
    assert [one["state"] for one in data["intervals"]] == ["starting", "playing"]
    assert data["intervals"][1]["to"] == iso(start + 9_000)
    assert data["intervals"][0]["bitrate_kbps"] is None
    assert [(one["event_type"], one["custom"]) for one in data["events"]] == [("PLAY", {"a": "b"})]


@pytest.mark.parametrize(("sid", "end", "shown"), [("s", "", [0, 1]), ("t", "-1", [2, 3])])
async def test_views_cut_out_of_a_cmcd_session_have_their_own_events(
    api: Answering, store: RunningStore, sid: str, end: str, shown: list[int]
) -> None:
    start = NOW_MS - 600_000
    rows = [
        view_row(
            view_id=name, view_key=f"default/{sid}", started_at=at, last_event_at=at + 60_000,
            intervals=[("playing", at, at + 60_000)],
        )
        for name, at in ((sid, start), (f"{sid}-1", start + 100_000))
    ]  # fmt: skip
    insert_views(store, *rows)
    lines = []
    for number, at in enumerate([0, 60_000, 100_000, 160_000]):
        event = dict.fromkeys(event_row.COLUMNS) | {
            "view_key": f"default/{sid}", "at": start + at, "identity": number, "kind": "HEARTBEAT",
            "received_at": start + at, "log_offset": 0, "log_index": number, "door": "cmcd",
            "property": "default", "event_type": "HEARTBEAT", "report_seq": number,
        }  # fmt: skip
        lines.append(msgspec.json.encode([event[name] for name in event_row.COLUMNS]))
    store.client.insert("events", event_row.COLUMNS, b"\n".join(lines), token=sid)
    data = await api.data(f"/v1/views/{sid}{end}")
    assert [one["report_seq"] for one in data["events"]] == shown


async def test_a_view_that_is_not_there_is_not_found(api: Answering) -> None:
    response = await api.get("/v1/views/nothing")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


async def test_rows_come_as_csv_and_ndjson(api: Answering, store: RunningStore) -> None:
    insert_views(store, view_row(video_title="=HYPERLINK(1)", view_id="v1"))
    text = (await api.get("/v1/views", format="csv")).text
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["view_id"] == "v1"
    assert row["video_title"] == "'=HYPERLINK(1)"
    lines = (await api.get("/v1/views", format="ndjson")).text.splitlines()
    assert [json.loads(line)["view_id"] for line in lines] == ["v1"]


def cohort(start: int, cdn: str, property_: str, *, stalled: int, many: int) -> list[Any]:
    rows = []
    for number in range(many):
        state = "rebuffering" if number < stalled else "playing"
        spans = [("playing", start, start + 20_000, 3_000), (state, start + 20_000, start + 23_000)]
        rows.append(
            view_row(
                property=property_, cdn=cdn, started_at=start, intervals=spans,
                view_id=f"{property_}-{cdn}-{number}", interval_cdn=[cdn, cdn],
            )
        )  # fmt: skip
    return rows


async def test_a_stall_is_laid_to_the_cdn_whose_other_views_stalled(
    api: Answering, store: RunningStore
) -> None:
    start = NOW_MS - 600_000
    insert_views(store, *cohort(start, "aurora", "a", stalled=8, many=20))
    insert_views(store, *cohort(start, "cirrus", "a", stalled=0, many=20))
    data = await api.data("/v1/views/a-aurora-0", token=api.token("read", "a"))
    (found,) = data["causes"]
    assert (found["what"], found["code"], found["duration_ms"]) == (
        "rebuffering",
        "cdn_slow",
        3_000,
    )
    evidence = {one["field"]: one["value"] for one in found["evidence"]}
    assert (evidence["views_same_cdn"], evidence["views_other_cdns"]) == (19, 20)
    assert evidence["stalled_same_cdn"] == pytest.approx(100 * 7 / 19, abs=0.1)
    assert [one["cause"] and one["cause"]["code"] for one in data["intervals"]] == [
        None,
        "cdn_slow",
    ]


async def test_views_of_another_property_say_nothing(api: Answering, store: RunningStore) -> None:
    start = NOW_MS - 600_000
    insert_views(store, *cohort(start, "aurora", "a", stalled=1, many=1))
    insert_views(store, *cohort(start, "aurora", "b", stalled=20, many=20))
    insert_views(store, *cohort(start, "cirrus", "b", stalled=0, many=20))
    (found,) = (await api.data("/v1/views/a-aurora-0"))["causes"]
    assert found["code"] == "unknown"


async def test_one_view_is_the_input_of_a_p1203_model(api: Answering, store: RunningStore) -> None:
    start = NOW_MS - 600_000
    insert_views(
        store,
        view_row(
            view_id="a/b", property="p", startup_ms=700.0, device_class="phone", started_at=start,
            intervals=[("playing", start, start + 9_000, 3_000), ("rebuffering", start + 9_000, start + 9_500)],
        ),
    )  # fmt: skip
    response = await api.get("/v1/views/a/b/p1203")
    data = response.json()["data"]
    assert data["I23"]["stalling"] == [[0.0, 0.7], [9.0, 0.5]]
    assert data["I13"]["segments"][0]["bitrate"] == 3_000
    other = await api.get("/v1/views/a/b/p1203", token=api.token("read", "q"))
    assert other.status_code == 404
