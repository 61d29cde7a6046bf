"""Recorded sessions of real players, sent twice: as many views as recordings, and their bitrate."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.lumos import batches, bitrate_by_connection, events_of, recordings
from support.server import Server

VIEWS = 590
BATCH = 60
TOLERANCE = 0.001

Event = dict[str, Any]


def first_sending(views: list[list[Event]]) -> Iterator[list[Event]]:
    """Each view in batches of its own, as players send."""
    for events in views:
        yield from batches(events, BATCH)


def second_sending(views: list[list[Event]], rng: random.Random) -> list[list[Event]]:
    """The same events cut elsewhere, several views in one batch, in any order."""
    events = [event for view in rng.sample(views, len(views)) for event in view]
    cut: list[list[Event]] = []
    while events:
        size = rng.randrange(1, 400)
        cut.append(events[:size])
        del events[:size]
    rng.shuffle(cut)
    return cut


def send(server: Server, batch: list[Event]) -> None:
    answer = server.send(batch)
    assert answer.json() == {"ok": True, "accepted": len(batch), "rejected": []}


@pytest.mark.slow
@pytest.mark.parametrize("disorder_first", [False, True])
def test_recordings_sent_twice_are_one_view_each(tmp_path: Path, *, disorder_first: bool) -> None:
    paths = recordings()
    end_ms = int(time.time() * 1000) - 30_000
    views = [events_of(path, end_ms) for path in paths]
    total = sum(map(len, views))
    with Server(tmp_path / "data") as server:
        sendings = [list(first_sending(views)), second_sending(views, random.Random(7))]
        for batch in (sendings[1] + sendings[0]) if disorder_first else (sendings[0] + sendings[1]):
            send(server, batch)
        books = server.wait_until_stored()["events"]
        assert (books["in"], books["stored"], books["duplicates"]) == (2 * total, total, total)
        assert books["equation_holds"]
        counted = server.get("/v1/metrics/views/overall")["data"]
        assert counted["value"] == len(paths) == VIEWS
        rows = server.get("/v1/metrics/weighted_bitrate/breakdown", group_by="connection_type")
        found = {row["group"]: row["value"] for row in rows["data"]}
        assert found == pytest.approx(bitrate_by_connection(paths), rel=TOLERANCE)
