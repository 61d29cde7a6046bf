"""The input form of P.1203: its shape, its times, and what is assumed."""

from typing import Any

import pytest

from playhead.query.p1203 import input_of
from playhead.query.span import iso

START_MS = 1_790_000_000_000


def interval(
    state: str, begin: int, end: int, kbps: float | None = None, height: Any = None
) -> Any:
    return {
        "state": state, "from": iso(START_MS + begin), "to": iso(START_MS + end),
        "bitrate_kbps": kbps, "height": height,
    }  # fmt: skip


def view(*intervals: Any, events: Any = (), **given: Any) -> dict[str, Any]:
    told = [{**event, "at": iso(START_MS + event["at"])} for event in events]
    return {
        "startup_ms": 700, "device_class": "phone", "intervals": list(intervals), "events": told,
    } | given  # fmt: skip


PLAYED = (
    interval("starting", 0, 700),
    interval("playing", 700, 10_700, 3_000, 720),
    interval("rebuffering", 10_700, 12_200, 3_000, 720),
    interval("playing", 12_200, 20_200, 800, 360),
    interval("paused", 20_200, 25_200),
    interval("playing", 25_200, 27_200, 800, 360),
)


def test_stalls_stand_at_media_time_with_the_start_first() -> None:
    found = input_of(view(*PLAYED))
    assert found.data["I23"]["stalling"] == [[0.0, 0.7], [10.0, 1.5]]
    assert found.left_out == {"paused": 5_000}


def test_segments_lie_end_to_end() -> None:
    data = input_of(view(*PLAYED)).data
    video = data["I13"]["segments"]
    assert [(one["start"], one["duration"], one["bitrate"]) for one in video] == [
        (0.0, 10.0, 3_000.0), (10.0, 8.0, 800.0), (18.0, 2.0, 800.0),
    ]  # fmt: skip
    (audio,) = data["I11"]["segments"]
    assert (audio["start"], audio["duration"]) == (0.0, 20.0)


def test_the_form_has_every_field_of_its_own_type() -> None:
    data = input_of(view(*PLAYED)).data
    assert set(data) == {"I11", "I13", "I23", "IGen"}
    for one in data["I13"]["segments"]:
        assert {name: type(value) for name, value in one.items()} == {
            "bitrate": float, "codec": str, "duration": float, "fps": float, "resolution": str,
            "start": float,
        }  # fmt: skip
    assert data["IGen"] == {
        "displaySize": "1920x1080", "device": "mobile", "viewingDistance": "150cm",
    }  # fmt: skip


def test_what_events_say_is_taken_and_the_rest_is_said_to_be_assumed() -> None:
    said = {
        "at": 700, "video_codec": "hvc1.1.6.L93", "video_fps": 50.0, "video_width": 1280.0,
        "video_height": 720.0, "client_screen_width": 390, "client_screen_height": 844,
        "client_pixel_ratio": 3,
    }  # fmt: skip
    found = input_of(view(*PLAYED, events=[said]))
    first, second, _ = found.data["I13"]["segments"]
    assert (first["codec"], first["fps"], first["resolution"]) == ("hevc", 50.0, "1280x720")
    assert second["resolution"] == "640x360"
    assert found.data["IGen"]["displaySize"] == "1170x2532"
    assert found.assumed == [
        "I13 resolution: the width of 16:9, where only the height is known",
        "I11 codec aaclc", "I11 bitrate 128", "IGen viewingDistance 150cm",
    ]  # fmt: skip


def test_a_segment_is_what_was_last_said_before_its_end() -> None:
    told = [
        {"at": at, "video_fps": fps} for at, fps in ((5_000, 50.0), (12_000, 25.0), (20_200, 30.0))
    ]
    segments = input_of(view(*PLAYED, events=told)).data["I13"]["segments"]
    assert [one["fps"] for one in segments] == [50.0, 25.0, 30.0]
    late = input_of(view(*PLAYED, events=told[2:])).data["I13"]["segments"]
    assert {one["fps"] for one in late} == {30.0}


@pytest.mark.parametrize("intervals", [(), (interval("starting", 0, 9_000),)])
def test_a_view_without_a_picture_has_no_segments(intervals: Any) -> None:
    data = input_of(view(*intervals, startup_ms=None, device_class="")).data
    assert data["I11"]["segments"] == data["I13"]["segments"] == []
    assert data["I23"]["stalling"] == [[0.0, 9.0 if intervals else 0.0]]
