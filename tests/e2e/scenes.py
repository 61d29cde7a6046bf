"""What viewers and networks do, once for every player: short plays, each with its own trouble."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from e2e.stage import PLAYERS, Stage

THIN_KBPS: Final = {"html5": 1_300.0, "videojs": 1_300.0}
"""Just enough to play on: the lowest rendition, the first one of Video.js, or the file."""
THIN_DEFAULT_KBPS: Final = 600.0
VIDEO: Final = r"/[012]_\d+\.m4s$"


@dataclass(frozen=True)
class Scene:
    """A play: what is set, what is done."""

    name: str
    act: Callable[[Stage], Awaitable[None]]
    options: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    players: tuple[str, ...] = PLAYERS
    some: tuple[str, ...] = PLAYERS
    """Those that it is played with unless PLAYHEAD_FULL=1: the others have nothing of their own here."""
    closes: bool = False
    """The tab is closed: nothing can be read from the page afterwards."""


def thin(stage: Stage) -> None:
    """Bandwidth for the lowest rendition only."""
    stage.lane.link.kbps = THIN_KBPS.get(stage.kind, THIN_DEFAULT_KBPS)


def scarce(stage: Stage) -> None:
    """The same before a stall; not with Video.js, which lets the sound run ahead of the picture.

    Chromium plays sound on for three seconds without a picture: the playhead moves, and no stall is
    to be seen but in the frames.
    """
    if stage.kind != "videojs":
        thin(stage)


async def start(stage: Stage, until_s: float) -> None:
    """Load, press play, watch to a position."""
    await stage.load()
    await stage.do("play()")
    await stage.playing(until_s)


async def stalled(stage: Stage, lasting_s: float) -> None:
    """Let the bandwidth collapse, wait for the stall and let it last."""
    stage.lane.link.kbps = 0
    await stage.until(f"stage.stillMs() > {lasting_s * 1000}", 20)


async def clean(stage: Stage) -> None:
    await start(stage, 4)


async def slow_start(stage: Stage) -> None:
    await stage.load()
    stage.lane.link.kbps = 0
    await stage.do("play()")
    await asyncio.sleep(2)
    stage.lane.link.kbps = None
    await stage.playing(1.5)


async def stall(stage: Stage) -> None:
    scarce(stage)
    await start(stage, 1)
    await stalled(stage, 1.5)
    stage.lane.link.kbps = None
    await stage.playing(await stage.position() + 1.5)


async def pause_in_stall(stage: Stage) -> None:
    scarce(stage)
    await start(stage, 1)
    await stalled(stage, 1)
    await stage.do("pause()")
    await asyncio.sleep(0.8)
    stage.lane.link.kbps = None
    await asyncio.sleep(0.8)
    await stage.do("play()")
    await stage.playing(await stage.position() + 1.5)


async def seek(stage: Stage) -> None:
    if stage.kind == "html5":
        stage.lane.link.kbps = 3_000
    await start(stage, 2)
    stage.lane.fault(r"\.(m4s|mp4)$", delay_s=0.6)
    await stage.do("seek(40)")
    await stage.playing(41.5)


async def scrub(stage: Stage) -> None:
    if stage.kind == "html5":
        stage.lane.link.kbps = 3_000
    await start(stage, 2)
    stage.lane.fault(r"\.(m4s|mp4)$", delay_s=0.4)
    await stage.do("scrub([20, 25, 31, 36, 42], 60)")
    await stage.playing(43.5)


async def switches(stage: Stage) -> None:
    thin(stage)
    await start(stage, 2)
    stage.lane.link.kbps = None
    await stage.until("video.videoHeight > 300", 20)
    at = await stage.position()
    await stage.playing(at + 1)
    stage.lane.link.kbps = 450
    await stage.until("video.videoHeight < 300 || video.currentTime > 26", 30)
    await stage.playing(await stage.position() + 0.5)


async def one_missing(stage: Stage) -> None:
    """One video segment is not found once; a file is cut once."""
    stage.lane.fault(r"/[012]_003\.m4s$", times=1, status=404)
    stage.lane.fault(r"film\.mp4$", times=1, cut_at=400_000)
    await start(stage, 7)


async def all_missing(stage: Stage) -> None:
    """From the third segment on nothing is found any more."""
    stage.lane.fault(r"_(00[3-9]|0[1-9]\d)\.m4s$", status=404)
    await start(stage, 1)
    patience_s = 15 if stage.kind == "hls" else 2.5  # hls.js gives up at last, and says so
    await stage.until(f"stage.errors.length || stage.stillMs() > {patience_s * 1000}", 40)


async def no_manifest(stage: Stage) -> None:
    stage.lane.fault(r"film\.(m3u8|mpd|mp4)$", status=404)
    await stage.load()
    await stage.do("play()")
    await asyncio.sleep(2)


async def closed_before_start(stage: Stage) -> None:
    stage.lane.hold(r"\.(m4s|mp4)$")
    await stage.load()
    await stage.do("play()")
    await asyncio.sleep(1.2)


async def replay(stage: Stage) -> None:
    await start(stage, 1)
    await stage.do("seek(58)")
    await stage.until("video.ended", 20)
    await asyncio.sleep(0.5)
    await stage.do("play()")
    await stage.until("video.currentTime > 1.5 && video.currentTime < 50", 20)


async def loop(stage: Stage) -> None:
    await start(stage, 1)
    await stage.do("seek(58)")
    await stage.playing(58.5)
    await stage.until("video.currentTime > 1.5 && video.currentTime < 50", 20)


async def double_speed(stage: Stage) -> None:
    await start(stage, 1.5)
    await stage.do("rate(2)")
    await stage.playing(6)


async def paused(stage: Stage) -> None:
    await start(stage, 1.5)
    await stage.do("pause()")
    await asyncio.sleep(1.5)
    await stage.do("play()")
    await stage.playing(3)


async def autoplay(stage: Stage) -> None:
    await stage.load()
    await stage.playing(2.5)


async def late(stage: Stage) -> None:
    await start(stage, 2)
    await stage.do("attach()")
    await stage.playing(4.5)


SCENES: Final = {
    scene.name: scene
    for scene in (
        Scene("clean", clean, some=("html5",)),
        Scene("slow_start", slow_start, some=("hls", "shaka", "videojs")),
        Scene("stall", stall),
        Scene("pause_in_stall", pause_in_stall, some=("html5", "hls", "shaka")),
        Scene("paused", paused, some=("dash", "videojs")),
        Scene("seek", seek),
        Scene("scrub", scrub, some=("html5", "hls", "shaka")),
        Scene("switches", switches, players=("hls", "dash", "shaka", "videojs")),
        Scene("one_missing", one_missing),
        Scene("all_missing", all_missing, players=("hls", "dash", "shaka", "videojs")),
        Scene("no_manifest", no_manifest),
        Scene("closed_before_start", closed_before_start, some=("html5", "hls"), closes=True),
        Scene("replay", replay, some=("html5", "hls", "dash")),
        Scene("loop", loop, options={"loop": True}, some=("html5", "videojs")),
        Scene("double_speed", double_speed, some=("html5", "shaka")),
        Scene("autoplay", autoplay, options={"autoplay": True}, some=("html5", "dash", "shaka")),
        Scene("late", late, options={"late": True}),
    )
}
