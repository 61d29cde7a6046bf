"""CMCD by the players themselves, and the library: the same playback, the same numbers."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from e2e.agreement import NEAR_MS, Differences
from e2e.gallery import ahead, steady
from e2e.lane import Exchange
from e2e.scenes import stalled, start, thin
from e2e.stage import Stage, Told, World, over, view_row, whole
from support.server import Server

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.usefixtures("library")]
KINDS = ("hls", "dash", "shaka")


@dataclass
class Joined:
    """A play, what the library's view says, and what else the server says of it."""

    told: Told
    row: dict[str, Any]
    listed: list[str] = field(default_factory=list)
    """The views of the video."""
    theirs: dict[str, Any] = field(default_factory=dict)
    """The view of CMCD alone."""
    log: list[Exchange] = field(default_factory=list)

    def is_fair(self) -> bool:
        """The machine was not too busy, or all agree even so."""
        return not (self.told.truth.is_blurred() and self.differences())

    def differences(self) -> list[str]:
        """Where the library's view differs from the truth, or from that of CMCD alone."""
        found, truth, row = Differences(), self.told.truth, self.row
        found.near("startup ms", row["startup_ms"], truth.startup_ms, NEAR_MS)
        found.same("stalls", row["rebuffer_count"] in truth.stall_counts(), True)
        if self.theirs:
            found.same("stalls by CMCD", self.theirs["rebuffer_count"], row["rebuffer_count"])
            for name in ("startup_ms", "rebuffer_ms"):
                found.near(f"{name} by CMCD", self.theirs[name], row[name], NEAR_MS)
        return found.wrong


async def stall(stage: Stage) -> None:
    """A play with one stall."""
    thin(stage)
    await start(stage, 1)
    await stalled(stage, 1.5)
    stage.lane.link.kbps = None
    await stage.playing(await stage.position() + 1.5)


async def joined(world: World, kind: str) -> Joined:
    """The library and the player's CMCD tell the same server of the same view."""
    server = world.server
    assert server is not None

    async def once() -> Joined:
        video = f"film-{uuid.uuid4()}"
        async with Stage(world, kind) as stage:
            await stage.make({"video": {"id": video}})
            await tell(stage, {"joined": True, "endpoint": server.url, "contentId": video})
            await start(stage, 3)
            await stage.do("stopCmcd()")
            told = await stage.told(leave=True)
            row = await view_row(server, told.views[0], whole(told))
        await asyncio.to_thread(server.wait_until_stored)
        filters = [f"video_id:{video}", "bot:true"]
        listed = await asyncio.to_thread(server.get, "/v1/views", filters=filters)
        return Joined(told, row, [one["view_id"] for one in listed["data"]])

    return await steady(once, Joined.is_fair)


@ahead(joined, kind=KINDS)
def test_library_and_cmcd_are_one_view(outcome: Joined) -> None:
    assert outcome.listed == outcome.told.views
    assert outcome.differences() == []


async def apart(world: World, kind: str) -> Joined:
    """The library and the player's CMCD tell of a view each, of the same playback."""
    server = world.server
    assert server is not None

    async def once() -> Joined:
        sid = str(uuid.uuid4())
        async with Stage(world, kind) as stage:
            await stage.make({})
            await tell(stage, {"endpoint": server.url, "contentId": "film", "sessionId": sid})
            await stall(stage)
            await stage.do("stopCmcd()")
            told = await stage.told(leave=True)
            row = await view_row(server, told.views[0], whole(told))
            return Joined(told, row, theirs=await view_row(server, sid, over))

    return await steady(once, Joined.is_fair)


@ahead(apart, kind=KINDS)
def test_cmcd_alone_says_what_the_library_says(outcome: Joined) -> None:
    theirs, ours = outcome.theirs, outcome.row
    assert outcome.differences() == []
    assert ours["rebuffer_count"] >= 1
    assert theirs["bitrate_kbps"] == pytest.approx(ours["bitrate_kbps"], rel=0.3)


async def logged(world: World, kind: str, by: str) -> Joined:
    """The CDN's log of a play comes to the server, too."""
    server = world.server
    assert server is not None
    async with Stage(world, kind) as stage:
        await stage.make({})
        await tell(stage, {"joined": True, "contentId": "film", "requests": by})
        await stall(stage)
        told = await stage.told(leave=True)
        await view_row(server, told.views[0], whole(told))
        log = [one for one in stage.lane.log if one.method == "GET" and one.status]
    await deliver(server, [one for one in log if bears(one)])
    row = await view_row(server, told.views[0], lambda seen: len(seen["requests"]) > 4)
    return Joined(told, row, log=log)


@ahead(logged, kind=KINDS, by=["query", "header"])
def test_cmcd_of_requests_joins_the_cdn_log_to_the_view(outcome: Joined) -> None:
    row = outcome.row
    bearing = [one for one in outcome.log if bears(one)]
    assert len(bearing) >= len([one for one in outcome.log if one.name.endswith(".m4s")]) > 4
    assert len(row["requests"]) == len(bearing)
    video = {r["bitrate_kbps"] for r in row["requests"] if r["object_type"] in {"v", "av"}}
    assert row["bitrate_kbps"] == pytest.approx(min(video - {None}), rel=0.3)
    starved = [one for one in bearing if b"bs" in cmcd_of(one)]
    assert bool(starved) or outcome.row["player_name"] != "hls.js"


def bears(one: Exchange) -> bool:
    """The request says what it is for."""
    return "CMCD=" in one.query or "cmcd-session" in one.headers


async def tell(stage: Stage, options: dict[str, Any]) -> None:
    """Have the player send CMCD."""
    await stage.page.evaluate("(options) => stage.cmcd(options)", options)


def cmcd_of(one: Exchange) -> bytes:
    """What a request says of itself, as it came."""
    return f"{one.query} {one.headers.get('cmcd-status', '')}".encode()


async def deliver(server: Server, exchanges: list[Exchange]) -> None:
    """Hand the proxy's log to the CDN log door."""
    lines = [
        json.dumps(
            {
                "timestamp_ms": int(one.arrived_at), "path": one.path, "query": one.query,
                "status": one.status, "bytes_out": one.sent, "client_ip": "203.0.113.9",
                "ttfb_ms": (one.first_byte_at or one.arrived_at) - one.arrived_at,
                **{f"http_{name.replace('-', '_')}": value
                   for name, value in one.headers.items() if name.startswith("cmcd-")},
            }
        )
        for one in exchanges
    ]  # fmt: skip
    url = f"{server.url}/logs/cdn?format=json"
    answer = await asyncio.to_thread(server.http.post, url, content="\n".join(lines))
    assert answer.json()["accepted"] == len(exchanges), answer.text
    await asyncio.to_thread(server.wait_until_stored)
