"""One simulated view: a player, its buffer and the person in front of it, event by event in true UTC ms."""

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

from playhead.model import kinds
from playhead.model.states import State
from playhead.simulate.adbreak import Step, script
from playhead.simulate.behaviour import Person
from playhead.simulate.delivery import ABORTED, FAILED
from playhead.simulate.scene import Scene
from playhead.simulate.sdk import HEARTBEAT_MS, HIDDEN_HEARTBEAT_MS, Timed

MAX_RETRIES = 4
SWITCH_AFTER_RETRIES = 2
BUSINESS_ERROR_SHARE = 0.006
DECODE_ERROR_SHARE = 0.00006
MANIFEST_TRIES = 3
"""A start needs several playlists, each of which may fail."""
LIVE_LATENCY_MS = 14_000


class Playback:
    """The state machine of one view."""

    def __init__(self, scene: Scene, rng: random.Random) -> None:
        self._rng = rng
        self._scene = scene
        self._title = scene.title
        self._device = scene.viewer.device
        self._load = scene.delivery
        self._sdk = scene.sdk
        self._truth = scene.truth
        self._person = Person(rng, scene.title, self._device.category)
        self._now_ms = scene.start_ms
        self._state: str = State.STARTING
        self._over = False
        self._first_frame = False
        self._hidden = False
        self._head_left_ms = 0
        self._shown: int | None = None
        self._behind_ms = 0
        self._frames = 0.0
        self._drop_rate = self._device.drop_rate * math.exp(rng.gauss(0, 0.8))
        self._ads: list[Step] = []
        self._midrolls = list(scene.title.midroll_at_s)
        self._position_ms = self._first_position_ms()
        self._timers: dict[str, int] = {}
        self._steps: dict[str, Callable[[], None]] = {
            "download": self._downloaded, "segment": self._segment_played, "ad": self._ad_step,
            "manifest": self._manifest, "fetch": self._fetch, "resume": self._resume,
            "show": self._show_page, "heartbeat": self._heartbeat, "touch": self._touch,
            "patience": self._leave, "leave": self._leave,
        }  # fmt: skip

    def run(self) -> Iterator[Timed]:
        """Play the view to its end, giving each batch as it leaves."""
        self._begin()
        yield from self._sdk.due(self._now_ms)
        while not self._over:
            name, at_ms = self._next()
            self._move(at_ms)
            self._timers.pop(name, None)
            self._steps[name]()
            yield from self._sdk.due(self._now_ms)

    def _next(self) -> tuple[str, int]:
        """Return what happens next and when."""
        name, at_ms = min(self._timers.items(), key=lambda timer: timer[1])
        if self._load.done_ms is not None and self._load.done_ms <= at_ms:
            name, at_ms = "download", self._load.done_ms
        if self._state == State.PLAYING and self._now_ms + self._head_left_ms < at_ms:
            name, at_ms = "segment", self._now_ms + self._head_left_ms
        return name, max(at_ms, self._now_ms)

    def _move(self, at_ms: int) -> None:
        passed_ms = at_ms - self._now_ms
        self._now_ms = at_ms
        if self._state == State.PLAYING:
            self._position_ms += passed_ms
            self._head_left_ms -= passed_ms
            self._frames += passed_ms * self._title.fps / 1_000
        elif self._state in {State.PAUSED, State.REBUFFERING} and self._title.live:
            self._behind_ms += passed_ms

    def _enter(self, state: str) -> None:
        self._state = state
        playing = state == State.PLAYING and self._shown is not None
        kbps = self._load.rung(self._shown or 0).bitrate_kbps if playing else 0
        self._truth.enter(state, self._now_ms, kbps)

    def _emit(self, kind: str, **fields: Any) -> None:
        """Send an event of this moment; None fields are left out."""
        fields = {name: value for name, value in fields.items() if value is not None}
        fields["playbackPositionSec"] = self._position_ms / 1_000
        if self._hidden:
            fields["hidden"] = True
        self._sdk.emit(kind, self._now_ms, fields)

    def _quality(self) -> dict[str, Any] | None:
        if self._shown is None:
            return None
        rung = self._load.rung(self._shown)
        return {
            "bitrateKbps": rung.bitrate_kbps, "resolution": rung.label, "width": rung.width,
            "height": rung.height, "fps": self._title.fps, "codec": "avc1.640028",
        }  # fmt: skip

    def _stats(self) -> dict[str, Any]:
        return {
            "decodedFrames": int(self._frames),
            "droppedFrames": int(self._frames * self._drop_rate),
            "fps": self._title.fps,
            "bufferLengthSec": self._load.ahead_ms(self._head_left_ms) / 1_000,
            "width": self._device.width,
            "height": self._device.height,
            "throughputKbps": round(self._load.estimate_kbps),
        }

    def _latency(self) -> int | None:
        return LIVE_LATENCY_MS + self._behind_ms if self._title.live else None

    def _first_position_ms(self) -> int:
        """Return where playing begins: the live edge, the start, or where they left off."""
        title = self._title
        if title.live:
            return self._scene.start_ms % 86_400_000
        if title.duration_s > 1_200 and self._rng.random() < 0.2:
            segment = self._rng.randrange(title.duration_s * 700 // title.segment_ms)
            self._load.seek(segment)
            return segment * title.segment_ms
        return 0

    def _begin(self) -> None:
        now_ms = self._now_ms
        self._enter(State.STARTING)
        self._emit(
            kinds.PLAY,
            state=State.STARTING,
            autoplay=self._person.autoplay,
            playerStartupMs=self._device.start_ms,
            pageLoadMs=4 * self._device.start_ms if self._device.browser else None,
            device=self._device.described(),
            custom={"plan": self._rng.choice(("free", "basic", "premium"))},
        )  # fmt: skip
        wait_ms = self._device.start_ms + 3 * self._load.latency_ms(now_ms)
        leave_ms = now_ms + self._person.intent_ms()
        self._timers = {
            "manifest": now_ms + round(wait_ms),
            "patience": now_ms + self._person.startup_patience_ms(),
            "heartbeat": now_ms + HEARTBEAT_MS,
            "touch": now_ms + self._person.next_touch_ms(),
            "leave": min(leave_ms, self._scene.end_ms or leave_ms),
        }

    def _manifest(self) -> None:
        if self._rng.random() < BUSINESS_ERROR_SHARE:
            code = self._rng.choice(("geo_blocked", "not_entitled", "too_many_streams"))
            self._fail(code, "business")
        elif self._rng.random() < MANIFEST_TRIES * self._load.error_rate(self._now_ms):
            self._fail("manifestLoadError", "technical")
        else:
            if self._title.preroll_ads:
                self._emit(kinds.AD_REQUEST, ad={"position": "preroll"})
                self._ads = script(self._rng, "preroll", self._title.preroll_ads)
                self._timers["ad"] = self._now_ms + self._ads[0].after_ms
            self._fetch()

    def _first_picture(self) -> None:
        """Note the end of startup: the first frame of content or of a pre-roll."""
        if not self._first_frame:
            self._first_frame = True
            self._truth.startup_ms = self._now_ms - self._scene.start_ms
            self._timers.pop("patience", None)

    def _fetch(self) -> None:
        if "fetch" not in self._timers:
            self._load.fetch(self._now_ms, self._head_left_ms)

    def _downloaded(self) -> None:
        waiting = not self._load.queue
        outcome = self._load.finish()
        if outcome == FAILED:
            self._download_failed()
            return
        if outcome != ABORTED and waiting:
            self._head_left_ms = self._title.segment_ms
        if self._state in {State.STARTING, State.REBUFFERING, State.SEEKING} and self._enough():
            self._go()
        self._fetch()

    def _download_failed(self) -> None:
        retries = self._load.retries
        if retries >= MAX_RETRIES:
            self._fail("fragLoadError", "technical")
            return
        self._truth.errors += 1
        self._emit(
            kinds.PLAYER_ERROR, state=self._state,
            error={"type": "networkError", "details": "fragLoadError", "code": "fragLoadError",
                   "category": "technical", "fatal": False},
        )  # fmt: skip
        if retries == SWITCH_AFTER_RETRIES and self._rng.random() < 0.5:
            self._load.switch_cdn()
            self._sdk.base.update(cdn=self._load.cdn.name, host=self._load.cdn.host)
            self._emit(kinds.CDN_CHANGE, state=self._state)
        self._timers["fetch"] = self._now_ms + 400 * 2**retries

    def _enough(self) -> bool:
        """Tell whether the buffer suffices to start or go on."""
        wanted = 2 if self._title.live else 1
        return not self._ads and (len(self._load.queue) >= wanted or self._load.complete)

    def _go(self) -> None:
        """The picture moves: after startup, a stall or a seek."""
        was, rung = self._state, self._load.queue[0]
        if was == State.STARTING:
            startup_ms = None if self._first_frame else self._now_ms - self._scene.start_ms
            self._first_picture()
            self._shown = rung
            self._enter(State.PLAYING)
            self._emit(kinds.PLAYING, state=State.PLAYING, quality=self._quality(),
                       player=self._stats(), startupMs=startup_ms)  # fmt: skip
            return
        self._show(rung)
        stalled_ms = self._truth.spans[-1].from_ms
        self._enter(State.PLAYING)
        if was == State.SEEKING:
            self._emit(kinds.SEEK_END, state=State.PLAYING, quality=self._quality())
            return
        self._timers.pop("patience", None)
        skew_ms = self._scene.viewer.clock_skew_ms
        self._emit(
            kinds.BUFFER_END, state=State.PLAYING, quality=self._quality(),
            buffering={"startedAt": stalled_ms + skew_ms, "endedAt": self._now_ms + skew_ms,
                       "durationMs": self._now_ms - stalled_ms},
        )  # fmt: skip
        if self._person.leaves_after_stall(len(self._truth.stalls)):
            soon_ms = self._now_ms + round(self._rng.uniform(1_000, 12_000))
            self._timers["leave"] = min(self._timers["leave"], soon_ms)

    def _segment_played(self) -> None:
        self._load.queue.popleft()
        self._head_left_ms = self._title.segment_ms if self._load.queue else 0
        if self._rng.random() < DECODE_ERROR_SHARE:
            self._fail("bufferAppendError", "technical")
        elif self._midrolls and self._position_ms >= self._midrolls[0] * 1_000:
            self._midroll()
        elif self._load.queue:
            if self._show(self._load.queue[0]):
                self._enter(State.PLAYING)
            self._fetch()
        elif self._load.complete:
            self._end("ended", kinds.ENDED)
        else:
            self._stall()

    def _show(self, rung: int) -> bool:
        """Put a rendition on screen; tell whether it is another one."""
        if rung == self._shown:
            return False
        if self._shown is not None:
            before = self._load.rung(self._shown).bitrate_kbps
            if self._load.rung(rung).bitrate_kbps > before:
                self._truth.upshifts += 1
            else:
                self._truth.downshifts += 1
        self._shown = rung
        self._emit(kinds.QUALITY_CHANGE, state=self._state, quality=self._quality(),
                   player=self._stats())  # fmt: skip
        return True

    def _stall(self) -> None:
        self._enter(State.REBUFFERING)
        self._emit(kinds.BUFFER_START, state=State.REBUFFERING, quality=self._quality(),
                   player=self._stats())  # fmt: skip
        patience_ms = self._person.stall_patience_ms(1 + len(self._truth.stalls))
        self._timers["patience"] = self._now_ms + patience_ms
        self._fetch()

    def _midroll(self) -> None:
        while self._midrolls and self._position_ms >= self._midrolls[0] * 1_000:
            self._midrolls.pop(0)
        self._ads = script(self._rng, "midroll", 2)
        self._timers["ad"] = self._now_ms + self._ads[0].after_ms
        if self._ads[0].kind == kinds.AD_ERROR:
            self._timers["ad"] = self._now_ms
        self._ad_step()

    def _ad_step(self) -> None:
        """Send what the break sends now and set the next step."""
        self._timers.pop("ad", None)
        while self._ads:
            step = self._ads.pop(0)
            if step.kind == kinds.AD_BREAK_START:
                self._first_picture()
                self._enter(State.AD)
            self._emit(step.kind, state=self._state, **step.fields)
            if self._ads and self._ads[0].after_ms > 0:
                self._timers["ad"] = self._now_ms + self._ads[0].after_ms
                return
        self._after_ads()

    def _after_ads(self) -> None:
        if self._shown is None:
            if self._state == State.AD:
                self._enter(State.STARTING)
            if self._enough():
                self._go()
            return
        if not self._load.queue:
            if self._load.complete:
                self._end("ended", kinds.ENDED)
            else:
                self._stall()
            return
        self._show(self._load.queue[0])
        self._enter(State.PLAYING)
        self._emit(kinds.PLAYING, state=State.PLAYING, quality=self._quality())
        self._fetch()

    def _heartbeat(self) -> None:
        self._emit(kinds.HEARTBEAT, state=self._state, quality=self._quality(),
                   player=self._stats(), liveLatencyMs=self._latency())  # fmt: skip
        every_ms = HIDDEN_HEARTBEAT_MS if self._hidden else HEARTBEAT_MS
        self._timers["heartbeat"] = self._now_ms + every_ms

    def _touch(self) -> None:
        self._timers["touch"] = self._now_ms + self._person.next_touch_ms()
        if self._state != State.PLAYING or self._hidden:
            self._timers["touch"] = self._now_ms + 2_000
            return
        match self._person.touch():
            case "seek":
                self._seek()
            case "pause":
                self._enter(State.PAUSED)
                self._emit(kinds.PAUSE, state=State.PAUSED)
                self._timers["resume"] = self._now_ms + self._person.pause_ms()
            case _:
                self._hidden = self._truth.hidden = True
                self._emit(kinds.VISIBILITY, state=self._state)
                self._timers["show"] = self._now_ms + self._person.hidden_ms()
                self._timers["heartbeat"] = self._now_ms + HIDDEN_HEARTBEAT_MS

    def _seek(self) -> None:
        title = self._title
        to_s = self._person.seek_to_s(self._position_ms / 1_000, title.duration_s)
        segment = int(to_s * 1_000) // title.segment_ms
        self._enter(State.SEEKING)
        self._emit(kinds.SEEK_START, state=State.SEEKING)
        self._truth.seeks += 1
        self._load.seek(segment)
        self._head_left_ms = 0
        self._position_ms = segment * title.segment_ms
        self._timers.pop("fetch", None)
        self._fetch()

    def _resume(self) -> None:
        self._enter(State.PLAYING)
        self._emit(kinds.PLAYING, state=State.PLAYING, quality=self._quality())

    def _show_page(self) -> None:
        self._hidden = False
        self._emit(kinds.VISIBILITY, state=self._state, hidden=False)
        self._timers["heartbeat"] = self._now_ms + HEARTBEAT_MS

    def _leave(self) -> None:
        if not self._first_frame:
            self._end("abandoned", kinds.STOP)
        elif self._person.vanishes:
            self._sdk.lose()
            self._end("vanished", "")
        else:
            self._end("stopped", kinds.STOP)

    def _fail(self, code: str, category: str) -> None:
        self._truth.fatal_code = code
        self._truth.errors += 1
        self._emit(
            kinds.PLAYER_ERROR, state="failed",
            error={"type": "networkError" if "Load" in code else "playerError", "code": code,
                   "details": code, "category": category, "fatal": True,
                   "message": f"Playback stopped: {code}"},
        )  # fmt: skip
        self._end("failed", "")

    def _end(self, outcome: str, kind: str) -> None:
        if kind:
            self._emit(kind, state="ended" if kind == kinds.ENDED else "stopped")
        self._over = True
        self._truth.close(self._now_ms)
        self._truth.ended_ms = self._now_ms
        self._truth.outcome = outcome
        silent = outcome == "vanished"
        self._truth.last_sent_ms = self._sdk.last_sent_ms if silent else self._now_ms
        self._truth.events = self._sdk.seq
