"""The audience: viewers coming and going, merged into one stream of batches in order of time."""

import heapq
import random
from collections.abc import Iterator

from playhead.simulate.audience import Viewer, pick_viewer
from playhead.simulate.catalogue import Shelf, Title
from playhead.simulate.delivery import Delivery
from playhead.simulate.network import ACCESS, Line
from playhead.simulate.player import Playback
from playhead.simulate.scene import Scene
from playhead.simulate.sdk import MAX_BATCH_EVENTS, Batch, Sdk, Timed, uuid7
from playhead.simulate.settings import SimulationConfig
from playhead.simulate.truth import Truth, ViewTruth

_GAP_MS = 4_000
_NEXT_VIEW_SHARE = 0.6
_CATCH_UP_MS = 1_500


class Simulation:
    """About `viewers` people watching at any time, each seat taken again when one leaves.

    Iterating gives `(at_ms, batch)` in order of `at_ms` (simulated UTC ms), lazily and for ever
    unless the configuration has an end. The same configuration gives the same batches.
    """

    def __init__(self, config: SimulationConfig) -> None:
        self.config = config
        self.truth = Truth()
        self._shelf = Shelf(config.seed)
        self._end_ms = config.start_ms + round(config.seconds * 1_000) if config.seconds else None

    def __iter__(self) -> Iterator[Timed]:
        """Give every batch in order of time."""
        seats = (self._from_start(seat) for seat in range(self.config.viewers))
        return heapq.merge(*seats, key=lambda timed: timed.at_ms)

    def _from_start(self, seat: int) -> Iterator[Timed]:
        """Give a seat's batches; those from before the start come at once, as kept batches do."""
        rng = random.Random(f"start {self.config.seed} {seat}")
        opens_ms = self.config.start_ms + rng.randrange(_CATCH_UP_MS)
        kept: Batch | None = None
        for at_ms, batch in self._seat(seat):
            fits = (
                kept is not None
                and kept.view_id == batch.view_id
                and len(kept.events) + len(batch.events) <= MAX_BATCH_EVENTS
            )
            if at_ms < self.config.start_ms:
                if kept is not None and fits:
                    kept.events += batch.events
                    continue
                if kept is not None:
                    yield Timed(opens_ms, kept)
                kept = batch
                continue
            if kept is not None:
                yield Timed(opens_ms, kept)
                kept = None
            yield Timed(max(at_ms, opens_ms), batch)
        if kept is not None:
            yield Timed(opens_ms, kept)

    def _seat(self, seat: int) -> Iterator[Timed]:
        """Give the batches of one visit after another."""
        config = self.config
        rng = random.Random(f"seat {config.seed} {seat}")
        now_ms = config.start_ms - rng.randrange(config.warm_up_ms + 1)
        while self._end_ms is None or now_ms < self._end_ms:
            viewer = pick_viewer(rng, skewed_clock_share=config.skewed_clock_share)
            session_id = f"session-{rng.getrandbits(48):012x}"
            line = Line(ACCESS[viewer.access], rng, now_ms)
            while self._end_ms is None or now_ms < self._end_ms:
                truth, playback = self._view(rng, viewer, session_id, line, start_ms=now_ms)
                yield from self._delivered(playback.run(), rng)
                if not config.keep_truth:
                    self.truth.views.pop(truth.view_id, None)
                now_ms = truth.ended_ms + 1 + round(rng.expovariate(1 / _GAP_MS))
                if rng.random() > _NEXT_VIEW_SHARE:
                    break

    def _delivered(self, batches: Iterator[Timed], rng: random.Random) -> Iterator[Timed]:
        """Send some batches twice: the answer to the first was lost on its way."""
        lost: Batch | None = None
        for at_ms, batch in batches:
            if lost is not None:
                yield Timed(at_ms, lost)
                lost = None
            yield Timed(at_ms, batch)
            if rng.random() < self.config.resend_share:
                events = [{**event, "_retryCount": 1} for event in batch.events]
                lost = Batch(view_id=batch.view_id, headers=batch.headers, events=events,
                             clock_skew_ms=batch.clock_skew_ms)  # fmt: skip

    def _view(
        self, rng: random.Random, viewer: Viewer, session_id: str, line: Line, *, start_ms: int
    ) -> tuple[ViewTruth, Playback]:
        title = self._shelf.pick(rng)
        load = Delivery(rng, title, viewer, line=line, incident=self.config.incident,
                        origin_ms=self.config.start_ms)  # fmt: skip
        connection = ACCESS[viewer.access].connection
        truth = ViewTruth(
            view_id=uuid7(rng, start_ms), session_id=session_id, viewer_id=viewer.viewer_id,
            video_id=title.video_id, stream_type=title.stream_type, country=viewer.country.code,
            asn=viewer.asn, device_class=viewer.device.category, connection_type=connection,
            cdn=load.cdn.name, clock_skew_ms=viewer.clock_skew_ms, started_ms=start_ms,
        )  # fmt: skip
        self.truth.views[truth.view_id] = truth
        base = _base(truth, viewer, title, load)
        sdk = Sdk(truth.view_id, viewer.headers, base, start_ms=start_ms,
                  clock_skew_ms=viewer.clock_skew_ms)  # fmt: skip
        scene = Scene(viewer=viewer, title=title, start_ms=start_ms, end_ms=self._end_ms,
                      delivery=load, sdk=sdk, truth=truth)  # fmt: skip
        return truth, Playback(scene, rng)


def _base(truth: ViewTruth, viewer: Viewer, title: Title, load: Delivery) -> dict[str, object]:
    """Return the fields that every event of a view carries."""
    base: dict[str, object] = {
        "viewerId": viewer.viewer_id, "sessionId": truth.session_id, "viewId": truth.view_id,
        "videoId": title.video_id, "videoTitle": title.name, "streamType": title.stream_type,
        "cdn": load.cdn.name, "host": load.cdn.host,
        "playerName": viewer.device.player_name, "playerVersion": viewer.device.player_version,
        "experiment": "start-rendition", "variant": viewer.variant,
        "network": {"effectiveType": truth.connection_type},
    }  # fmt: skip
    if not title.live:
        base["durationSec"] = title.duration_s
    return base
