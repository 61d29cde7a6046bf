"""What the store holds of everything that the senders of a soak have sent."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx2

from bench.soak_book import Book, Found, Row, Stored, differences, losses, read_book
from playhead.errors import PlayheadError
from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.server import Server

WAIT_S: Final = 900.0
AGAIN_S: Final = 0.5
_EVENTS: Final = (
    "SELECT toString(door) AS door, view_id, count(),"
    " if(door = 'telemetry', uniqExact(seq), uniqExact(identity))"
    " FROM playhead.events GROUP BY door, view_id"
)
_VIEWS: Final = (
    "SELECT view_id, count(), sum(events), sum(events_missing) FROM playhead.views FINAL GROUP BY 1"
)
_COUNTS: Final = {
    "cdn": "SELECT host, count(), uniqExact(bytes_out) FROM playhead.cdn_requests GROUP BY 1",
    "rows": "SELECT toString(sender), count(), uniqExact(number) FROM project.plays GROUP BY 1",
    "imports": "SELECT toString(label), count(), uniqExact(number) FROM project.imported GROUP BY 1",
}
_SUMS: Final = "SELECT sender, sum(plays) FROM project.plays_by_sender GROUP BY 1"


def stored_in(client: StoreClient) -> Stored:
    """Return what the store holds.

    Raises:
        PlayheadError: The store does not answer.
    """
    doors: dict[str, dict[str, Found]] = {}
    for door, view, count, different in client.rows(_EVENTS).rows:
        doors.setdefault(door, {})[view] = Found(int(count), int(different))
    for door, sql in _COUNTS.items():
        doors[door] = {key: Found(int(n), int(m)) for key, n, m in client.rows(sql).rows}
    views = {
        view: Row(int(rows), int(events), int(missing))
        for view, rows, events, missing in client.rows(_VIEWS).rows
    }
    summed = {key: int(n) for key, n in client.rows(_SUMS).rows}
    return Stored(doors, views, summed)


def audit_at_the_end(server: Server, book: Book) -> list[str]:
    """Return every difference between a finished book and the store, once all is stored."""
    _wait_for(lambda: _pending(server) == 0, "everything to be stored")
    return differences(book, _asked(server))


def audit_under_load(server: Server, path: Path) -> list[str]:
    """Return what is lost or doubled of everything acknowledged before now; senders go on."""
    earlier = read_book(path)
    until = _worker(server)["next_offset"]
    _wait_for(lambda: _worker(server)["position"] >= until, f"offset {until} to be stored")
    stored = _asked(server)
    seen_s = read_book(path).at_s
    _wait_for(lambda: read_book(path).at_s > seen_s, "the senders to write their book")
    later = read_book(path)
    # The first write after the look may have begun before it; the second has not.
    _wait_for(lambda: read_book(path).at_s > later.at_s, "the senders to write their book")
    return losses(earlier, stored, read_book(path))


def _asked(server: Server) -> Stored:
    """Ask until the store answers everything."""
    client = StoreClient(embedded(server.data))
    found: list[Stored] = []

    def asked() -> bool:
        try:
            found.append(stored_in(client))
        except PlayheadError:
            return False
        return True

    try:
        _wait_for(asked, "the store to answer")
    finally:
        client.close()
    return found[0]


def _worker(server: Server) -> dict[str, Any]:
    while True:
        try:
            found: dict[str, Any] = server.status()["worker"]
        except (httpx2.HTTPError, AssertionError):
            time.sleep(AGAIN_S)
        else:
            return found


def _pending(server: Server) -> int:
    try:
        return int(server.status()["events"]["pending"])
    except (httpx2.HTTPError, AssertionError):
        return -1


def _wait_for(done: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + WAIT_S
    while not done():
        if time.monotonic() > until_s:
            raise SystemExit(f"waited {WAIT_S:.0f} s in vain for {what}")
        time.sleep(AGAIN_S)
