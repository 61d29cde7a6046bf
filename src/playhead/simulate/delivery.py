"""Segments on their way: what is buffered, what is being fetched, over which CDN."""

import math
import random
from collections import deque

from playhead.simulate.abr import Estimate, Rung, choose, ladder_for
from playhead.simulate.audience import Viewer
from playhead.simulate.catalogue import Title
from playhead.simulate.network import Cdn, Line, pick_cdn
from playhead.simulate.settings import Incident

VOD_BUFFER_MS = 24_000
LIVE_BUFFER_MS = 10_000
TIMEOUT_MS = 16_000
ABORT_AFTER_MS = 3_000
TOO_SLOW_MS = 8_000
LOADED, FAILED, ABORTED = "loaded", "failed", "aborted"


class Delivery:
    """The downloads of one view and the buffer they fill. Times are true UTC ms."""

    def __init__(
        self, rng: random.Random, title: Title, viewer: Viewer, *, line: Line,
        incident: Incident | None, origin_ms: int,
    ) -> None:  # fmt: skip
        self._rng = rng
        self._title = title
        self._viewer = viewer
        self._line = line
        self._incident = incident
        self._origin_ms = origin_ms
        self.cdn: Cdn = pick_cdn(rng, viewer.country.part)
        self.rungs = ladder_for(min(title.top_height, viewer.device.top_height))
        first_kbps = line.rate_kbps * math.exp(rng.gauss(-0.3, 0.5))
        self._estimate = Estimate(first_kbps)
        cautious = 0.25 if viewer.variant == "low-start" else 0.5
        top = 3 if viewer.device.category != "tv" else 4
        fitting = choose(self.rungs, first_kbps * cautious, 99, len(self.rungs) - 1)
        self._current = min(fitting, top)
        self.queue: deque[int] = deque()
        self.next_segment = 0
        self.retries = 0
        self.done_ms: int | None = None
        self._outcome = LOADED

    @property
    def capacity_ms(self) -> int:
        """Return how much the player wants ahead."""
        return LIVE_BUFFER_MS if self._title.live else VOD_BUFFER_MS

    @property
    def estimate_kbps(self) -> float:
        """Return the player's throughput estimate."""
        return self._estimate.kbps

    @property
    def complete(self) -> bool:
        """Tell whether there is nothing more to fetch."""
        title = self._title
        return not title.live and self.next_segment * title.segment_ms >= title.duration_s * 1_000

    def rung(self, index: int) -> Rung:
        """Return a rendition by its index."""
        return self.rungs[index]

    def ahead_ms(self, head_left_ms: int) -> int:
        """Return the buffered time when `head_left_ms` of the first segment are unplayed."""
        return head_left_ms + max(0, len(self.queue) - 1) * self._title.segment_ms

    def latency_ms(self, at_ms: int) -> float:
        """Return the time from a request to its first byte."""
        slow = self._trouble(at_ms)
        latency = self._line.rtt_ms + self.cdn.reach[self._viewer.country.part][2]
        return latency * math.exp(self._rng.gauss(0, 0.35)) * (slow.latency_factor if slow else 1)

    def error_rate(self, at_ms: int) -> float:
        """Return the share of requests that fail."""
        slow = self._trouble(at_ms)
        return self.cdn.segment_error_rate + (slow.segment_error_rate if slow else 0)

    def fetch(self, at_ms: int, head_left_ms: int) -> None:
        """Start the next segment if there is room and nothing under way."""
        ahead_ms = self.ahead_ms(head_left_ms)
        if (
            self.done_ms is not None
            or self.complete
            or ahead_ms + self._title.segment_ms > self.capacity_ms
        ):
            return
        if self.next_segment or self.queue:
            self._current = choose(self.rungs, self._estimate.kbps, ahead_ms / 1_000, self._current)
        self._start(at_ms)

    def finish(self) -> str:
        """End the download under way and say how it went: loaded, failed or aborted."""
        self.done_ms = None
        if self._outcome == LOADED:
            self.queue.append(self._current)
            self.next_segment += 1
            self.retries = 0
        elif self._outcome == FAILED:
            self.retries += 1
            self._current = 0
        else:
            self._current = 0
        return self._outcome

    def seek(self, segment: int) -> None:
        """Drop what is buffered and go on from another segment."""
        self.queue.clear()
        self.done_ms = None
        self.next_segment = segment

    def switch_cdn(self) -> None:
        """Go on over another CDN."""
        self.cdn = pick_cdn(self._rng, self._viewer.country.part, but=self.cdn.name)
        self.retries = 0

    def _trouble(self, at_ms: int) -> Incident | None:
        incident = self._incident
        if incident is not None and incident.hits(
            self.cdn.name, self._viewer.country.code, at_ms - self._origin_ms
        ):
            return incident
        return None

    def _start(self, at_ms: int) -> None:
        """Draw how long the segment takes and how it ends."""
        rng = self._rng
        slow = self._trouble(at_ms)
        factor = self.cdn.reach[self._viewer.country.part][1]
        rate_kbps = self._line.throughput_kbps(at_ms) * factor
        rate_kbps *= slow.throughput_factor if slow else 1
        size = math.exp(rng.gauss(0, 0.12)) * self._title.segment_ms
        size *= self.rungs[self._current].bitrate_kbps
        took_ms = self.latency_ms(at_ms) + size / rate_kbps
        self._outcome = LOADED
        if rng.random() < self.error_rate(at_ms):
            self._outcome, took_ms = FAILED, min(took_ms, TIMEOUT_MS) * rng.random() + 30
        elif took_ms > TOO_SLOW_MS and self._current > 0:
            self._outcome, took_ms = ABORTED, ABORT_AFTER_MS
            self._estimate.observe(rate_kbps)
        elif took_ms > TIMEOUT_MS:
            self._outcome, took_ms = FAILED, TIMEOUT_MS
        else:
            self._estimate.observe(size / took_ms)
        self.done_ms = at_ms + max(1, math.ceil(took_ms))
