"""Views of a title made by hand: which seconds were watched, repeats included."""

from typing import Any

from support.answering import NOW_MS, view_row

START = NOW_MS - 1_800_000


def watching(*runs: tuple[float, float], **given: Any) -> dict[str, Any]:
    """Return a view that played these stretches of content, one after the other, at normal speed."""
    at = given.pop("started_at", START)
    intervals: list[tuple[str, int, int]] = []
    places: list[tuple[float, float]] = []
    begin = at
    for low, high in runs:
        end = at + round((high - low) * 1000)
        intervals += [("playing", at, end), ("seeking", end, end + 100)]
        places += [(low, high), (high, high)]
        at = end + 100
    merged: list[tuple[float, float]] = []
    for low, high in sorted(runs):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    played = sum(high - low for low, high in runs)
    return view_row(**{
        "video_id": "film", "stream_type": "vod", "duration_s": 100.0, "started_at": begin,
        "intervals": intervals, "startup_ms": 500.0, "content_startup_ms": 500.0,
        "playing_ms": played * 1000, "content_played_s": played,
        "interval_position_from_s": [one[0] for one in places],
        "interval_position_to_s": [one[1] for one in places],
        "watched_from_s": [one[0] for one in merged],
        "watched_to_s": [one[1] for one in merged],
    } | given)  # fmt: skip
