"""What a simulated person does: how long they watch, what they touch, when they give up."""

import math
import random

from playhead.simulate.catalogue import Title

VANISH_SHARE = {"phone": 0.16, "tablet": 0.12, "tv": 0.1, "set-top": 0.1, "console": 0.06}
VANISH_ELSEWHERE = 0.05


class Person:
    """The impatience and restlessness of one viewer in one view. All times in ms."""

    def __init__(self, rng: random.Random, title: Title, category: str) -> None:
        self._rng = rng
        self._title = title
        self.category = category
        self.autoplay = rng.random() < (0.6 if title.duration_s and title.duration_s < 600 else 0.2)
        self.vanishes = rng.random() < VANISH_SHARE.get(category, VANISH_ELSEWHERE)

    def intent_ms(self) -> int:
        """Return how long they mean to stay: some only look in, others see it to the end."""
        rng = self._rng
        if rng.random() < 0.22:
            return round(rng.expovariate(1 / 25_000)) + 3_000
        median_s = 900 if self._title.live else min(900.0, self._title.duration_s * 0.9)
        return round(1_000 * median_s * math.exp(rng.gauss(0, 0.9))) + 5_000

    def startup_patience_ms(self) -> int:
        """Return how long they wait for the first frame: two seconds free, then they trickle away."""
        return 2_000 + round(self._rng.expovariate(1 / 14_000))

    def stall_patience_ms(self, stalls: int) -> int:
        """Return how long they bear a stall; less with every one before it."""
        return 3_000 + round(self._rng.expovariate(1 / (45_000 / stalls)))

    def leaves_after_stall(self, stalls: int) -> bool:
        """Tell whether a stall, though over, was one too many."""
        return self._rng.random() < min(0.5, 0.06 * stalls)

    def next_touch_ms(self) -> int:
        """Return the time until they touch something."""
        return round(self._rng.expovariate(1 / 150_000)) + 4_000

    def touch(self) -> str:
        """Return what they do then: seek, pause or hide."""
        choices = {"seek": 0.0 if self._title.live else 5.0, "pause": 3.0}
        choices["hide"] = 2.5 if self.category in {"desktop", "phone", "tablet"} else 0.0
        return self._rng.choices(list(choices), weights=list(choices.values()))[0]

    def pause_ms(self) -> int:
        """Return the length of a pause: mostly short, sometimes a meal."""
        median = 12_000 if self._rng.random() < 0.9 else 240_000
        return round(median * math.exp(self._rng.gauss(0, 0.7))) + 800

    def hidden_ms(self) -> int:
        """Return how long the page stays in the background."""
        return round(self._rng.expovariate(1 / 40_000)) + 1_500

    def seek_to_s(self, position_s: float, end_s: float) -> float:
        """Return where a seek goes: mostly forward, ten seconds to some minutes."""
        jump = 10.0 * math.exp(self._rng.gauss(1.0, 1.1))
        if self._rng.random() < 0.35:
            jump = -jump
        return min(max(0.0, position_s + jump), max(0.0, end_s - 5))
