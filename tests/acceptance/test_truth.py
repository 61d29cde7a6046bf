"""What simulated viewers really did, and what the server says of it: the same.

Players that vanish are left out of the sums: no server can know the last seconds of a player that
never said goodbye. Their views count all the same.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from playhead.query.span import iso, ms_of
from playhead.simulate.settings import SimulationConfig
from playhead.simulate.simulation import Simulation
from playhead.simulate.truth import ViewTruth
from support.server import Server
from support.simulated import deliver

VIEWERS = 150
SECONDS = 120
SKIPPED = "vanished"
BUCKET_MS = 5_000
NOTICED_MS, NOTICED_HIDDEN_MS = 31_000, 151_000
"""The heartbeat timeouts and a second: so long a player may be silent and still be counted."""
PRESENT = ("starting", "playing", "rebuffering", "ad")


class Watched:
    """A server that was told everything of a simulation whose truth is known."""

    def __init__(self, server: Server) -> None:
        self.server = server
        now_ms = int(time.time() * 1000)
        self.end_ms = now_ms - 5_000
        self.start_ms = self.end_ms - SECONDS * 1_000
        config = SimulationConfig(
            viewers=VIEWERS, seconds=SECONDS, start_ms=self.start_ms, seed=11, keep_truth=True,
            skewed_clock_share=0,
        )  # fmt: skip
        simulation = Simulation(config)
        batches = list(simulation)
        self.accepted = asyncio.run(deliver(server.url, batches))
        self.views = simulation.truth.views
        self.truth = simulation.truth
        self.books = server.wait_until_stored()["events"]
        self.rows = self._rows()

    def _rows(self) -> dict[str, dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        params: dict[str, Any] = {"limit": 500}
        while True:
            page = self.server.get("/v1/views", **params)
            rows |= {row["view_id"]: row for row in page["data"]}
            if page["meta"]["next_cursor"] is None:
                return rows
            params["cursor"] = page["meta"]["next_cursor"]

    def known(self) -> Iterator[tuple[ViewTruth, dict[str, Any]]]:
        for view_id, truth in self.views.items():
            if truth.outcome != SKIPPED:
                yield truth, self.rows[view_id]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with Server(tmp_path_factory.mktemp("data")) as server:
        yield Watched(server)


def test_every_view_and_every_event_is_there_once(watched: Watched) -> None:
    assert set(watched.rows) == set(watched.views)
    counted = watched.server.get("/v1/metrics/views/overall")["data"]
    assert counted["value"] == len(watched.views)
    assert watched.books["in"] == watched.accepted
    assert watched.books["stored"] == sum(view.events for view in watched.views.values())
    assert watched.books["equation_holds"]


def test_stalls_are_counted_exactly(watched: Watched) -> None:
    wrong = [
        (truth.view_id, len(truth.stalls), row["rebuffer_count"])
        for truth, row in watched.known()
        if row["rebuffer_count"] != len(truth.stalls)
    ]
    assert wrong == []
    assert sum(len(truth.stalls) for truth, _ in watched.known()) > 10


def test_stalls_have_their_length(watched: Watched) -> None:
    for truth, row in watched.known():
        stalled_ms = sum(end - start for start, end in truth.stalls)
        assert row["rebuffer_ms"] == pytest.approx(stalled_ms, abs=2), truth.view_id


def test_startup_is_exact_for_each_view_and_cdn(watched: Watched) -> None:
    starts: Counter[str] = Counter()
    for truth, row in watched.known():
        assert row["startup_ms"] == truth.startup_ms, truth.view_id
    for truth in watched.views.values():
        starts[truth.cdn] += truth.startup_ms is not None
    assert len(starts) > 2


def test_the_mean_startup_by_cdn_is_the_truths(watched: Watched) -> None:
    """Who vanished before the first frame was told takes no part; who did after it, does."""
    rows = watched.server.get(
        "/v1/metrics/startup_time/breakdown", group_by="cdn", measurement="avg"
    )["data"]
    by_cdn: dict[str, list[float]] = {}
    for view_id, truth in watched.views.items():
        row = watched.rows[view_id]
        if truth.startup_ms is not None and row["startup_ms"] is not None:
            by_cdn.setdefault(row["cdn"], []).append(truth.startup_ms)
    found = {row["group"]: (row["value"], row["views"]) for row in rows}
    assert found.keys() == by_cdn.keys()
    for cdn, times in by_cdn.items():
        assert found[cdn] == (pytest.approx(sum(times) / len(times), abs=0.01), len(times))


def test_exits_and_failures_are_counted_exactly(watched: Watched) -> None:
    outcomes = Counter(truth.outcome for truth in watched.views.values())
    left = [truth for truth, row in watched.known() if row["exit_before_start"]]
    assert {truth.outcome for truth in left} <= {"abandoned"}
    assert len(left) == outcomes["abandoned"]
    failed = {truth.view_id for truth, row in watched.known() if row["status"] == "failed"}
    assert failed == {t.view_id for t in watched.views.values() if t.outcome == "failed"}
    ended = [row["status"] for truth, row in watched.known() if truth.outcome == "ended"]
    assert set(ended) <= {"ended"}


def is_unsure(view: ViewTruth, at: int) -> bool:
    """Whether a player has vanished and the server cannot know it yet."""
    noticed_ms = NOTICED_HIDDEN_MS if view.hidden else NOTICED_MS
    return view.outcome == SKIPPED and view.last_sent_ms <= at < view.last_sent_ms + noticed_ms


def test_concurrent_viewers_are_the_truths_in_every_bucket(watched: Watched) -> None:
    """Within 1 %, but for players that vanished: they count until their silence is noticed."""
    compared = 0
    for row in watched.server.get("/v1/live", minutes=5)["data"]:
        at = ms_of(row["time"].rstrip("Z")) + BUCKET_MS
        if not watched.start_ms <= at < watched.end_ms:
            continue
        unsure = sum(is_unsure(view, at) for view in watched.views.values())
        present = watched.truth.concurrent(at, states=PRESENT)
        told = row["concurrent_viewers"] - row["failures"]
        assert abs(told - present) <= 0.01 * present + unsure, (iso(at), told, present, unsure)
        stalled = watched.truth.concurrent(at, states=("rebuffering",))
        assert abs(row["rebuffering"] - stalled) <= unsure, (iso(at), stalled, unsure, row)
        compared += 1
    assert compared >= SECONDS * 1_000 // BUCKET_MS - 1
