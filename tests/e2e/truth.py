"""What really happened in a media element, from its frames and events alone.

A stall is time in which the picture should have moved and did not: between two frames in a row, the
time that passed less the content that passed. A frame that came late only because the machine was
busy moved the content too, so it is none.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

STALL_MS = 250.0
"""The least that counts as a stall (player.md 1, rule 2)."""
UNSURE_MS = (150.0, 400.0)
"""Frozen spans of this length may be counted or not: polls and frames differ by so much."""
LAG_S = 0.15
"""A frame further behind the sound than this was late."""
TIMERS_MS = 200.0
"""Timers of 50 ms that are further apart than this were starved."""
WISH_MS = 300.0
"""A `seeking` so soon after the page's wish is the wished one."""
AUTOPLAY_MS = 1_000.0
"""A player may take so long to give the element something to load."""
FRAME_S = 0.05
"""A frame and a bit, at 25 frames a second."""


class Frame(NamedTuple):
    """A frame put on screen: when (ms since 1970), what (seconds of content), how large."""

    at: float
    media: float
    width: int
    height: int


class Happening(NamedTuple):
    """A media event, or a wish of the page."""

    kind: str
    at: float
    position: float
    rate: float = 1.0
    paused: bool = False


class Stretch(NamedTuple):
    """From-to, in ms since 1970."""

    begin: float
    end: float

    @property
    def ms(self) -> float:
        return self.end - self.begin


@dataclass
class Truth:
    """The record of one media element."""

    frames: list[Frame]
    events: list[Happening]
    wishes: list[Happening]
    until: float
    """When the record was read."""
    page_errors: list[str] = field(default_factory=list)
    visibility: list[tuple[str, float]] = field(default_factory=list)
    polls: list[tuple[float, float, int]] = field(default_factory=list)
    """Moment, position, readyState, every 50 ms."""

    @classmethod
    def of(cls, told: dict[str, Any], element: int = 0) -> "Truth":
        seen = told["videos"][element]
        return cls(
            [Frame(*one) for one in seen["frames"]],
            [Happening(*one) for one in seen["events"]],
            [Happening(*one) for one in seen["wishes"]],
            told["now"],
            told["faults"],
            [(state, at) for state, at in told["visibility"]],
            [(at, position, ready) for at, position, ready in seen["polls"]],
        )

    def part(self, begin: float, end: float) -> "Truth":
        """What lies between two moments: one source of several in the same element."""

        def within(at: float) -> bool:
            return begin <= at < end

        return Truth(
            [one for one in self.frames if within(one.at)],
            [one for one in self.events if within(one.at)],
            [one for one in self.wishes if within(one.at)],
            min(self.until, end),
            self.page_errors,
            self.visibility,
            [one for one in self.polls if within(one[0])],
        )

    def when(self, kind: str) -> list[float]:
        """The moments of the events of a kind."""
        return [one.at for one in self.events if one.kind == kind]

    @property
    def intent_at(self) -> float | None:
        """The first wish to play: the page's, or the element's own as it begins to load (`autoplay`)."""
        wished = [one.at for one in self.wishes if one.kind == "play"]
        for one in self.wishes:
            if one.kind == "autoplay":
                begun = [at for at in self.when("loadstart") if one.at <= at < one.at + AUTOPLAY_MS]
                wished.append(min(begun, default=one.at))
        return min(wished or self.when("play"), default=None)

    @property
    def moved_at(self) -> float | None:
        """When the picture first moved: back from the first frame whose content is another one."""
        intent = self.intent_at
        if intent is None:
            return None
        before = [frame for frame in self.frames if frame.at < intent][-1:]
        after = [frame for frame in self.frames if frame.at >= intent]
        shown = [*before, *after]
        for frame in after:
            went_s = frame.media - shown[0].media
            if went_s > 0:
                return max(intent, frame.at - went_s / self.rate_at(frame.at) * 1000)
        return None

    @property
    def startup_ms(self) -> float | None:
        intent, moved = self.intent_at, self.moved_at
        return None if intent is None or moved is None else moved - intent

    def rate_at(self, moment: float) -> float:
        """The playback rate; 0 (a trick of players that buffer) counts as 1."""
        told = [one.rate for one in self.events if one.at <= moment and one.rate > 0]
        return told[-1] if told else 1.0

    def idle(self) -> list[Stretch]:
        """When nothing should move: paused or ended."""
        found: list[Stretch] = []
        since: float | None = None
        for one in self.events:
            if one.kind in {"pause", "ended"} and since is None:
                since = one.at
            elif one.kind in {"play", "playing"} and since is not None and not one.paused:
                found.append(Stretch(since, one.at))
                since = None
        return found if since is None else [*found, Stretch(since, self.until)]

    def seeks(self) -> list[Stretch]:
        """From the first `seeking` to the picture moving again (paused: to `seeked`), scrubs as one.

        Only what the page asked for: players seek by themselves too, to get out of a stall.
        """
        found: list[Stretch] = []
        wished = [one.at for one in self.wishes if one.kind == "seek"]
        for one in self.events:
            asked = any(at - 1 <= one.at <= at + WISH_MS for at in wished)
            if one.kind == "seeking" and asked and not (found and one.at < found[-1].end):
                found.append(Stretch(one.at, self._settled_after(one.at)))
        return found

    def _settled_after(self, began: float) -> float:
        over = self.until
        for one in self.events:
            if one.at < began or one.at > over:
                continue
            if one.kind in {"seeking", "seeked"}:
                over = self.until if one.kind == "seeking" else self._moved_after(one)
        return over

    def _moved_after(self, seeked: Happening) -> float:
        pauses = [one.at for one in self.events if one.kind == "pause" and one.at > seeked.at]
        if seeked.paused:
            return seeked.at
        pair = [frame for frame in self.frames if frame.at >= seeked.at - 1]
        for frame, following in itertools.pairwise(pair):
            if following.media - frame.media > 0:
                at = following.at - (following.media - frame.media) * 1000
                return min([max(seeked.at, frame.at, at), *pauses])
        return min([self.until, *pauses])

    def frozen(self) -> list[Stretch]:
        """Every span in which the picture should have moved and did not, however short."""
        moved = self.moved_at
        if moved is None:
            return []
        found = []
        for frame, following in self._neighbours(moved):
            for span in self._due(frame.at, following.at):
                went_ms = max(0.0, following.media - frame.media) / self.rate_at(frame.at) * 1000
                if span.ms - went_ms >= UNSURE_MS[0]:
                    found.append(Stretch(span.begin, span.end - went_ms))
        return found

    def _neighbours(self, moved: float) -> Iterator[tuple[Frame, Frame]]:
        frames = [frame for frame in self.frames if frame.at >= moved - 1]
        if frames:
            last = frames[-1]
            frames.append(last._replace(at=self.until))
        yield from itertools.pairwise(frames)

    def _due(self, begin: float, end: float) -> list[Stretch]:
        """The parts of a span in which the picture should move."""
        parts = [Stretch(begin, end)]
        for hole in sorted([*self.idle(), *self.seeks()]):
            cut: list[Stretch] = []
            for part in parts:
                cut.append(Stretch(part.begin, min(part.end, hole.begin)))
                cut.append(Stretch(max(part.begin, hole.end), part.end))
            parts = [part for part in cut if part.ms > 0]
        return parts

    def stalls(self) -> list[Stretch]:
        """The frozen spans that count."""
        return [span for span in self.frozen() if span.ms >= STALL_MS]

    def stall_counts(self) -> range:
        """The counts that are right: spans about the threshold may be in or out."""
        lengths = [span.ms for span in self.frozen()]
        least = sum(1 for ms in lengths if ms >= UNSURE_MS[1])
        return range(least, len(lengths) + 1)

    def is_blurred(self) -> bool:
        """The machine was too busy: frames were not shown as they were played, or timers starved.

        Says nothing of the library; such a play proves nothing and is played again.
        """
        moved = self.moved_at
        if moved is None:
            return any(position > 0.3 for _, position, _ in self.polls)
        times = [at for at, _, _ in self.polls]
        gaps = [b - a for a, b in itertools.pairwise(times)]
        return max(gaps, default=0) > TIMERS_MS or self._lag_s(moved) > LAG_S

    def _lag_s(self, moved: float) -> float:
        """How far the frames ever were behind the element's position."""
        unfit = [*self.idle(), *self.seeks()]
        frames, lag = iter(self.frames), 0.0
        ahead = next(frames, None)
        shown: Frame | None = None
        for at, position, _ in self.polls:
            while ahead is not None and ahead.at <= at:
                shown, ahead = ahead, next(frames, None)
            near = any(one.begin - 100 <= at <= one.end + 300 for one in unfit)
            wrapped = shown is not None and position < shown.media
            if not near and not wrapped and position > 0:
                media = shown.media if shown is not None and at >= moved else 0.0
                lag = max(lag, (position - media) / self.rate_at(at))
        return lag

    def switches(self) -> tuple[int, int]:
        """Renditions changed on screen: up, down."""
        heights = [frame.height for frame in self.frames if frame.height]
        steps = [b - a for a, b in itertools.pairwise(heights) if a != b]
        return sum(1 for step in steps if step > 0), sum(1 for step in steps if step < 0)

    def watched(self) -> list[tuple[float, float]]:
        """The content that was on screen: merged from-to, in seconds."""
        spans: list[tuple[float, float]] = []
        jumps = [span.begin for span in self.seeks()]
        for frame, following in zip(self.frames, self.frames[1:], strict=False):
            went_s = following.media - frame.media
            passed_s = (following.at - frame.at) / 1000 * self.rate_at(following.at)
            jumped = any(frame.at <= at <= following.at for at in jumps)
            if 0 < went_s <= passed_s + 0.5 and not jumped:
                spans.append((frame.media, following.media))
        return merged(spans)


def merged(spans: list[tuple[float, float]], gap_s: float = FRAME_S) -> list[tuple[float, float]]:
    """Sorted spans, those that touch as one."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1] + gap_s:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
