"""Views and the life of a page: another source, a hidden tab, events that are sent again."""

import asyncio
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.agreement import Differences, watched
from e2e.gallery import ahead, steady
from e2e.outage import QUICK, outage
from e2e.stage import PLAYERS, Stage, Told, World, over, view_row, whole
from e2e.tab import Tab, Window
from e2e.truth import Truth
from playhead.query.span import ms_of

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.usefixtures("library")]


@dataclass
class Views:
    """A page and its views."""

    told: Told
    rows: list[dict[str, Any]]
    faults: int = 0
    """Requests that something happened to."""


async def two_sources(world: World, kind: str) -> Views:
    """One player shows one film and then another."""
    server = world.server
    assert server is not None

    async def once() -> Views:
        async with Stage(world, kind) as stage:
            await stage.make({})
            for name in (None, "second"):
                await stage.load(name and f"{stage.source}?{name}")
                await stage.do("play()")
                await stage.playing(1.5)
            told = await stage.told(leave=True)
        return Views(told, [await view_row(server, view, over) for view in told.views])

    def is_fair(views: Views) -> bool:
        return not (any(one.is_blurred() for one in parts(views.told)) and differences(views))

    return await steady(once, is_fair)


def parts(told: Told) -> tuple[Truth, Truth]:
    """What is true of each source."""
    first, second = [one.at for one in told.truth.wishes if one.kind == "load"]
    return told.truth.part(first, second), told.truth.part(second, told.truth.until + 1)


def differences(views: Views) -> list[str]:
    """Where the rows and the truth differ."""
    found = Differences()
    found.same("views", len(views.rows), 2)
    for row, part in zip(views.rows, parts(views.told), strict=False):
        found.near("startup ms", row["startup_ms"], part.startup_ms, 150)
        found.same("stalls", row["rebuffer_count"] in part.stall_counts(), True)
        watched(found, row, part.watched())
        found.same("missing, seeks", (row["events_missing"], row["seek_count"]), (0, 0))
    return found.wrong


@ahead(two_sources, kind=PLAYERS)
def test_another_source_is_another_view(outcome: Views) -> None:
    assert differences(outcome) == []


async def hidden(world: World, kind: str) -> Views:
    """A tab is hidden while it plays, for a while."""
    server = world.server
    assert server is not None

    async def once() -> Views:
        async with Window() as window:
            stage = Stage(world, kind)
            stage.page = Tab(stage.lane)
            url = f"{world.proxy.page_url}/page/stage.html?remote={stage.lane.name}"
            ours = await window.open(url)
            # Chromium pauses muted pictures that nobody sees.
            await stage.make({**QUICK}, muted=False)
            await stage.load()
            await stage.do("play()")
            await stage.playing(1.5)
            other = await window.open("about:blank")
            await asyncio.sleep(5)
            await window.show(ours)
            await asyncio.sleep(1)
            told = await stage.told(leave=True)
            row = await view_row(server, told.views[0], whole(told))
            await window.close(other)
            stage.lane.clear()
        return Views(told, [row])

    return await steady(once, lambda views: not stood(views.told.truth))


def stood(truth: Truth) -> bool:
    """The playhead stood after the start, by the busy machine: no frames tell of a hidden tab."""
    moving = [(at, position) for at, position, _ in truth.polls if position > 0.2]
    return any(
        at - before - (position - from_) * 1000 > 200
        for (before, from_), (at, position) in itertools.pairwise(moving)
    )


@ahead(hidden, kind=["html5", "hls"])
def test_a_hidden_tab_plays_on_and_is_marked(outcome: Views) -> None:
    truth, (row,) = outcome.told.truth, outcome.rows
    assert [state for state, _ in truth.visibility] == ["hidden", "visible"]
    marks = [event for event in row["events"] if event["kind"] == "VISIBILITY"]
    assert [event["hidden"] for event in marks] == [True, False]
    for event, (_, at) in zip(marks, truth.visibility, strict=True):
        assert ms_of(event["at"]) == pytest.approx(at, abs=150)
    # It played on, so nothing of it was hidden time, or a pause, or unknown.
    assert (row["hidden_ms"], row["pause_count"], row["unknown_ms"]) == (0, 0, 0)
    assert row["rebuffer_count"] == 0
    assert row["content_played_s"] == pytest.approx(truth.polls[-1][1], abs=0.3)


async def begun_hidden(world: World) -> Views:
    """A tab that nobody sees begins to play."""
    assert world.server is not None
    async with Window() as window:
        stage = Stage(world, "hls")
        stage.page = Tab(stage.lane)
        await window.open(f"{world.proxy.page_url}/page/stage.html?remote={stage.lane.name}")
        await stage.make({**QUICK})
        await window.open("about:blank")
        await stage.load()
        await stage.do("play()")
        await asyncio.sleep(4)
        told = await stage.told(leave=True)
        row = await view_row(world.server, told.views[0], whole(told))
        stage.lane.clear()
    return Views(told, [row])


@ahead(begun_hidden)
def test_a_start_in_a_hidden_tab_is_no_slow_start(outcome: Views) -> None:
    (row,) = outcome.rows
    assert row["startup_ms"] is None
    assert (row["rebuffer_count"], row["startup_failed"]) == (0, False)


async def troubled(world: World, **fault: Any) -> Views:
    """Something happens to two of the library's requests."""
    assert world.server is not None
    async with Stage(world, "html5") as stage:
        rule = stage.lane.fault(r"/relay/telemetry$", times=2, **fault)
        await stage.make({**QUICK, "endpoint": f"{stage.relay}/telemetry"})
        await stage.load()
        await stage.do("play()")
        await stage.playing(4)
        told = await stage.told(leave=True)
        row = await view_row(world.server, told.views[0], whole(told))
    return Views(told, [row], rule.hits)


async def unanswered(world: World) -> Views:
    """Two batches are stored, but their answers are lost."""
    return await troubled(world, first=2, cut_at=-1)


async def refused(world: World, status: int) -> Views:
    """Two batches are refused."""
    return await troubled(world, status=status, headers={"Retry-After": "1"})


@ahead(unanswered)
def test_a_batch_whose_answer_is_lost_counts_once(outcome: Views) -> None:
    (row,), sent = outcome.rows, outcome.told.sent
    assert outcome.faults == 2
    assert (row["event_count"], row["events_missing"]) == (len(sent), 0)
    assert sorted(event["seq"] for event in row["events"]) == list(range(len(sent)))


@ahead(refused, status=[429, 503, 500])
def test_a_refused_batch_is_sent_again(outcome: Views) -> None:
    (row,) = outcome.rows
    assert outcome.faults == 2
    assert (row["event_count"], row["events_missing"]) == (len(outcome.told.sent), 0)


async def away(world: World) -> list[str]:
    """What is wrong after the server was away for a while."""
    with tempfile.TemporaryDirectory(prefix="playhead-away-") as folder:
        return await outage(world, Path(folder) / "data", away_s=8)


@ahead(away)
def test_a_server_that_is_away_loses_nothing(outcome: list[str]) -> None:
    assert outcome == []
