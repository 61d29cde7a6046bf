"""Request bodies for the load generator: laid out once, then only filled with numbers.

A body is one batch of one view as an SDK sends it. The text of a view's batches is made when the
view begins, with a place for each number; a request then costs one formatting of bytes.
"""

import random
from typing import Any

import msgspec

from playhead.model import kinds
from playhead.simulate.abr import LADDER
from playhead.simulate.audience import Viewer, pick_viewer
from playhead.simulate.network import ACCESS, CDNS
from playhead.simulate.sdk import uuid7

_HOLES = {
    "seq": "\x01", "timestamp": "\x02", "monotonicMs": "\x03", "playbackPositionSec": "\x04",
    "sentAt": "\x05",
}  # fmt: skip
_MIDDLE = (kinds.HEARTBEAT,) * 6 + (kinds.QUALITY_CHANGE,) + (kinds.HEARTBEAT,) * 6 + (
    kinds.BUFFER_START, kinds.BUFFER_END,
) + (kinds.HEARTBEAT,) * 5  # fmt: skip
"""What a player in some trouble says: a switch and a stall every twenty events."""

_STATE_AFTER = {
    kinds.BUFFER_START: "rebuffering", kinds.SEEK_START: "seeking", kinds.PLAY: "starting",
    kinds.STOP: "stopped",
}  # fmt: skip


class LoadView:
    """One view of the load: its next sequence number and the texts of its batches.

    `acked` counts the events acknowledged: exactly `seq` 0 to `acked - 1`.
    """

    def __init__(self, number: int, seed: int, events: int, *, batches: int, now_ms: int) -> None:
        rng = random.Random(f"load {seed} {number}")
        self.view_id = uuid7(rng, now_ms)
        self.acked = 0
        self.sent_batches = 0
        self.batches = batches
        self._events = events
        self._started_ms = self._last_ms = now_ms - 1_000
        viewer = pick_viewer(rng, skewed_clock_share=0)
        self.headers = "".join(f"{k}: {v}\r\n" for k, v in viewer.headers.items()).encode()
        base = _base(self.view_id, viewer, rng)
        self._first = _layout(base, [kinds.PLAY, kinds.PLAYING], events)
        self._middle = _layout(base, [], events)
        self._last = _layout(base, [], events, last=kinds.STOP)

    @property
    def over(self) -> bool:
        """Tell whether its last batch is acknowledged."""
        return self.sent_batches >= self.batches

    def body(self, now_ms: int) -> bytes:
        """Return the next batch: its events lie between the last batch and now."""
        text = self._middle
        if self.sent_batches == 0:
            text = self._first
        elif self.sent_batches == self.batches - 1:
            text = self._last
        step = (now_ms - self._last_ms) / self._events
        seq, first = self.acked, self._last_ms
        started = self._started_ms
        numbers: list[int] = []
        for index in range(1, self._events + 1):
            at = int(first + index * step)
            numbers += (seq, at, at - started, (at - started) // 1_000, now_ms)
            seq += 1
        self._last_ms = now_ms
        return text % tuple(numbers)

    def acknowledged(self) -> None:
        """Count the last body's events as safe."""
        self.acked += self._events
        self.sent_batches += 1


def _base(view_id: str, viewer: Viewer, rng: random.Random) -> dict[str, Any]:
    cdn = rng.choice(CDNS)
    return {
        "viewId": view_id, "sessionId": f"s-{view_id[:13]}", "viewerId": viewer.viewer_id,
        "videoId": f"load-{rng.randrange(50):02}", "streamType": "vod", "durationSec": 5400,
        "cdn": cdn.name, "playerName": viewer.device.player_name,
        "playerVersion": viewer.device.player_version,
        "network": {"effectiveType": ACCESS[viewer.access].connection},
    }  # fmt: skip


def _layout(
    base: dict[str, Any], opening: list[str], count: int, *, last: str | None = None
) -> bytes:
    """Return the batch as a bytes format with five numbers an event, in the order of `_HOLES`."""
    sequence = [*opening, *(_MIDDLE[n % len(_MIDDLE)] for n in range(count))][:count]
    if last is not None:
        sequence[-1] = last
    events: list[dict[str, Any]] = []
    for index, kind in enumerate(sequence):
        rung = LADDER[3 + (index >= _MIDDLE.index(kinds.QUALITY_CHANGE))]
        event: dict[str, Any] = {
            "eventType": kind, **_HOLES, **base, "state": _STATE_AFTER.get(kind, "playing"),
            "quality": {"bitrateKbps": rung.bitrate_kbps, "resolution": rung.label,
                        "width": rung.width, "height": rung.height},
            "player": {"decodedFrames": 1_200 + index, "droppedFrames": 2, "bufferLengthSec": 8.25},
        }  # fmt: skip
        if kind == kinds.PLAYING:
            event["startupMs"] = 640
        if kind == kinds.BUFFER_END:
            event["buffering"] = {"durationMs": 120}
        events.append(event)
    text = msgspec.json.encode(events).replace(b"%", b"%%")
    for hole in _HOLES.values():
        text = text.replace(msgspec.json.encode(hole), b"%d")
    return text
