"""The titles that simulated viewers watch: films, episodes, clips, lectures and live streams."""

import random
from collections.abc import Sequence
from itertools import accumulate

import msgspec


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to watch. `duration_s` 0 = live; ad times are seconds of content."""

    video_id: str
    name: str
    duration_s: int
    segment_ms: int
    fps: int = 25
    top_height: int = 2160
    preroll_ads: int = 0
    midroll_at_s: tuple[int, ...] = ()

    @property
    def live(self) -> bool:
        """Tell whether this is a live stream."""
        return self.duration_s == 0

    @property
    def stream_type(self) -> str:
        """Return the wire's word for it."""
        return "live" if self.live else "vod"


_FILMS = ("The Salt Road", "Paper Lanterns", "Low Tide", "Harbour of Glass", "North by Lamplight")
_SERIES = ("Station Nine", "The Orchard", "Night Ferry", "Small Hours")
_CLIPS = (
    "Bread in ten minutes", "Fixing a bicycle chain", "Goal of the week", "A walk in the rain",
    "Sourdough, slowly", "Cat meets snow", "One-pan dinner", "City from above", "Guitar in a day",
    "Make a kite", "Seven knots", "Morning stretch",
)  # fmt: skip
_LECTURES = ("Linear algebra", "Organic chemistry", "History of maps", "Operating systems")
_LIVE = (
    ("live-sport", "Cup final", 50, 1), ("live-news", "News channel", 25, 0),
    ("live-concert", "Open-air concert", 50, 0), ("live-talk", "Evening talk", 25, 0),
)  # fmt: skip


def _titles() -> tuple[Title, ...]:
    titles = [
        Title(video_id=f"film-{n:02}", name=name, duration_s=5_400 + 600 * n, segment_ms=4_000,
              fps=24, preroll_ads=n % 2, midroll_at_s=(1_800, 3_600) if n % 2 else ())
        for n, name in enumerate(_FILMS, 1)
    ]  # fmt: skip
    titles += [
        Title(video_id=f"series-{s:02}-e{e:02}", name=f"{name}, episode {e}",
              duration_s=1_440 + 180 * s, segment_ms=6_000, preroll_ads=1 if s == 2 else 0,
              midroll_at_s=(600,) if s == 2 else ())
        for s, name in enumerate(_SERIES, 1) for e in range(1, 5)
    ]  # fmt: skip
    titles += [
        Title(video_id=f"clip-{n:02}", name=name, duration_s=60 + 32 * n, segment_ms=4_000,
              fps=30, top_height=1080, preroll_ads=1 if n % 4 == 0 else 0)
        for n, name in enumerate(_CLIPS, 1)
    ]  # fmt: skip
    titles += [
        Title(video_id=f"lecture-{s:02}-{e}", name=f"{name}, part {e}", duration_s=2_700,
              segment_ms=6_000, top_height=1080)
        for s, name in enumerate(_LECTURES, 1) for e in (1, 2, 3)
    ]  # fmt: skip
    titles += [
        Title(video_id=key, name=name, duration_s=0, segment_ms=2_000, fps=fps, preroll_ads=ads,
              top_height=1080)
        for key, name, fps, ads in _LIVE
    ]  # fmt: skip
    return tuple(titles)


TITLES: tuple[Title, ...] = _titles()
LIVE_SHARE = 0.3
"""Share of views that go to live streams."""


def zipf_weights(count: int, exponent: float = 0.9) -> list[float]:
    """Return cumulative weights 1/rank^exponent: a few titles take most of the audience."""
    return list(accumulate(1 / rank**exponent for rank in range(1, count + 1)))


class Shelf:
    """Titles in an order of popularity that the seed decides."""

    def __init__(self, seed: int, titles: Sequence[Title] = TITLES) -> None:
        order = random.Random(f"shelf {seed}")
        self.vod = [title for title in titles if not title.live]
        self.live = [title for title in titles if title.live]
        order.shuffle(self.vod)
        self._vod_weights = zipf_weights(len(self.vod))
        self._live_weights = zipf_weights(len(self.live))

    def pick(self, rng: random.Random) -> Title:
        """Return the title of one view."""
        if self.live and (not self.vod or rng.random() < LIVE_SHARE):
            return rng.choices(self.live, cum_weights=self._live_weights)[0]
        return rng.choices(self.vod, cum_weights=self._vod_weights)[0]
