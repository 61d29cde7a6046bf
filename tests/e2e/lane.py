"""One playback's own way to the media: its link, its faults and the log of what went over it."""

import asyncio
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

TICK_S = 0.02
BURST_S = 0.1
"""A link that was idle may send so much at once."""


def now_ms() -> float:
    """Milliseconds since 1970, the clock that the page's truth is told in too."""
    return time.time() * 1000


@dataclass
class Exchange:
    """One request and what became of it. Moments in ms since 1970."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    arrived_at: float
    status: int = 0
    first_byte_at: float | None = None
    ended_at: float | None = None
    sent: int = 0
    """Of the body, as far as it went."""
    whole: bool = False
    body: bytes = b""
    """What the client sent, of a relayed request."""

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class Link:
    """A bandwidth that everything in a lane shares; `None` is no limit, 0 lets nothing through."""

    def __init__(self) -> None:
        self.kbps: float | None = None
        self._turn = asyncio.Lock()
        self._credit_bits = 0.0
        self._credited_at = time.monotonic()

    async def take(self, size: int) -> None:
        """Wait until so many bytes may go."""
        async with self._turn:
            while self.kbps is not None and not self._granted(size * 8):  # noqa: ASYNC110
                await asyncio.sleep(TICK_S)

    def _granted(self, bits: int) -> bool:
        now, kbps = time.monotonic(), self.kbps or 0
        earned = (now - self._credited_at) * kbps * 1000
        self._credited_at = now
        self._credit_bits = min(self._credit_bits + earned, max(bits, kbps * 1000 * BURST_S))
        if kbps == 0 or self._credit_bits < bits:
            return False
        self._credit_bits -= bits
        return True


@dataclass
class Rule:
    """What happens to the requests whose path fits, from the `first` on, so many `times`."""

    pattern: re.Pattern[str]
    first: int = 1
    times: float = math.inf
    status: int = 0
    delay_s: float = 0
    cut_at: int | None = None
    """The connection is cut at this byte of the file; -1: after a relayed request was answered."""
    held_at: int | None = None
    """From this byte of the file on nothing goes until the rule is released."""
    headers: Mapping[str, str] = field(default_factory=dict)
    seen: int = 0
    hits: int = 0
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    def applies(self, path: str) -> bool:
        """Count a request; return whether it is one of those meant."""
        if not self.pattern.search(path):
            return False
        self.seen += 1
        meant = self.first <= self.seen < self.first + self.times
        self.hits += meant
        return meant

    def release(self) -> None:
        """What is held goes on, and nothing is held any more."""
        self._open.set()

    async def passage(self) -> None:
        """Wait for the release."""
        await self._open.wait()


class Lane:
    """Faults, a link and a log that belong to one playback."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.link = Link()
        self.log: list[Exchange] = []
        self.rules: list[Rule] = []
        self.orders: asyncio.Queue[bytes] = asyncio.Queue()
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()
        """What a tab of the lane is to do, and what it said to it."""

    def fault(
        self,
        pattern: str,
        *,
        first: int = 1,
        times: float = math.inf,
        status: int = 0,
        delay_s: float = 0,
        cut_at: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Rule:
        """Let something happen to requests whose path fits."""
        rule = Rule(
            re.compile(pattern), first, times, status, delay_s, cut_at, headers=headers or {}
        )
        self.rules.append(rule)
        return rule

    def hold(self, pattern: str, at: int = 0) -> Rule:
        """Send nothing of what fits, from byte `at` of the file on, until it is released."""
        rule = Rule(re.compile(pattern), held_at=at)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Release everything, and forget every rule and limit."""
        for rule in self.rules:
            rule.release()
        self.rules.clear()
        self.link.kbps = None

    def asked(self, pattern: str) -> list[Exchange]:
        """The exchanges whose path fits, in the order they came."""
        return [one for one in self.log if re.search(pattern, one.path)]
