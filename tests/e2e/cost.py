"""What the library costs the page's main thread, by the browser's own trace."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Final

from e2e.stage import Stage, World

CALLS: Final = ["devtools.timeline"]
SAMPLES: Final = ["devtools.timeline", "v8", "v8.execute", "disabled-by-default-v8.cpu_profiler"]
"""Sampling doubles what is measured, so calls are timed without it."""
LONG_MS: Final = 50.0
SAMPLED_S: Final = 8.0
OURS: Final = "/sdk/"


@dataclass
class Cost:
    """Time in our script, in ms."""

    seconds: float
    """Of playback traced."""
    spent_ms: float
    """In calls that the browser made of our functions (listeners, timers, observers)."""
    sampled_ms: float
    """In samples with a function of ours on the stack: calls by the player, too; dearer by the sampling."""
    calls: int
    longest_ms: float
    wall_ms: float = 0
    """The same calls by the wall: with what else ran on the core meanwhile."""
    by_thread: bool = True
    """The browser told the thread's own time; else `spent_ms` is the wall's."""

    @property
    def per_second_ms(self) -> float:
        """Of the calls, by the clock of their thread."""
        return self.spent_ms / self.seconds

    @property
    def wall_per_second_ms(self) -> float:
        """Of the calls, by the wall."""
        return self.wall_ms / self.seconds


async def cost_of(world: World, kind: str, seconds: float) -> Cost:
    """Play for so long after the start and add up."""
    async with Stage(world, kind) as stage:
        await stage.make({}, loop=True, bare=True)  # our code alone, not the test's listeners
        await stage.load()
        await stage.do("play()")
        await stage.playing(1)
        events = await traced(world, CALLS, seconds)
        sampling_s = min(seconds, SAMPLED_S)
        samples = await traced(world, SAMPLES, sampling_s)
        await stage.told(leave=True)
    ours = [
        one
        for one in events
        if one["name"] == "FunctionCall" and OURS in _data(one).get("url", "") and "dur" in one
    ]
    by_thread = all("tdur" in one for one in ours)
    # Of the thread: what else runs on the machine is no cost of ours.
    calls = [one["tdur" if by_thread else "dur"] / 1000 for one in ours]
    return Cost(
        seconds,
        sum(calls),
        sampled(samples) / sampling_s * seconds,
        len(calls),
        max(calls, default=0.0),
        sum(one["dur"] for one in ours) / 1000,
        by_thread,
    )


async def traced(world: World, categories: list[str], seconds: float) -> list[dict[str, Any]]:
    """What the browser's trace says of so many seconds."""
    await world.browser.start_tracing(categories=categories)
    await asyncio.sleep(seconds)
    events: list[dict[str, Any]] = json.loads(await world.browser.stop_tracing())["traceEvents"]
    return events


def _data(event: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = event.get("args", {}).get("data", {})
    return data


def sampled(events: list[dict[str, Any]]) -> float:
    """Milliseconds of the samples in which we are on the stack."""
    total_us = 0
    by_profile: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for event in events:
        if event["name"] == "ProfileChunk":
            by_profile.setdefault((event["pid"], event.get("id")), []).append(event)
    for chunks in by_profile.values():
        ours: dict[int, bool] = {}
        for chunk in chunks:
            data = _data(chunk)
            profile = data.get("cpuProfile", {})
            for node in profile.get("nodes", []):
                mine = OURS in node["callFrame"].get("url", "")
                ours[node["id"]] = mine or ours.get(node.get("parent", -1), False)
            pairs = zip(profile.get("samples", []), data.get("timeDeltas", []), strict=False)
            total_us += sum(delta for node, delta in pairs if ours.get(node))
    return total_us / 1000
