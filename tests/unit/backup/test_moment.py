import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from playhead.backup.draft import Draft, sweep
from playhead.backup.moment import Patience, take
from playhead.build.lock import BUILDS_FILE
from playhead.clock import SystemClock
from playhead.errors import Conflict, RowsUnsettled
from playhead.log.lock import SharedLock, WriterLock
from playhead.log.offsets import Intent, Ledger
from playhead.process.holding import REST_FILE
from playhead.store.client import StoreClient

NO_STORE = cast("StoreClient", None)
"""It must not come to that."""


@pytest.fixture
def draft(tmp_path: Path) -> Iterator[Draft]:
    made = Draft(tmp_path, "20260101T000000000Z-a")
    yield made
    made.close()


def patience(wait_s: float = 0.05) -> Patience:
    return Patience(SystemClock(), wait_s, threading.Event())


def test_nothing_is_taken_while_a_range_is_in_the_worker_s_hand(
    tmp_path: Path, draft: Draft
) -> None:
    hand = SharedLock(tmp_path / REST_FILE)
    with pytest.raises(RowsUnsettled, match="No backup was made"):
        take(tmp_path, NO_STORE, draft, patience())
    hand.release()
    SharedLock(tmp_path / REST_FILE).release()  # and the worker can go on
    assert list(draft.folder.iterdir()) == []


def test_nothing_is_taken_while_a_build_goes_on(tmp_path: Path, draft: Draft) -> None:
    build = WriterLock(tmp_path / "project" / BUILDS_FILE)
    with pytest.raises(RowsUnsettled, match="does not come to an end"):
        take(tmp_path, NO_STORE, draft, patience())
    build.release()
    assert list(draft.folder.iterdir()) == []


def test_a_range_that_stays_begun_under_a_worker_is_waited_for(
    tmp_path: Path, draft: Draft
) -> None:
    ledger = Ledger(tmp_path / "worker.db")
    ledger.intend(Intent(0, 3, 1))
    with pytest.raises(RowsUnsettled, match="range stays begun"):
        take(tmp_path, NO_STORE, draft, patience())
    ledger.close()
    assert list(draft.folder.iterdir()) == []


def test_whoever_does_not_want_it_any_more_ends_the_wait(tmp_path: Path, draft: Draft) -> None:
    hand = SharedLock(tmp_path / REST_FILE)
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(RowsUnsettled):
        take(tmp_path, NO_STORE, draft, Patience(SystemClock(), 3_600, stop))
    hand.release()
    assert stop.is_set()


def test_one_backup_at_a_time_and_leftovers_go(tmp_path: Path) -> None:
    first = Draft(tmp_path, "1")
    (first.folder / "copy").write_text("x")
    first.shadow.mkdir(parents=True)
    sweep(tmp_path)
    with pytest.raises(Conflict, match="is being made"):
        Draft(tmp_path, "2")
    assert (first.folder / "copy").exists()
    first._lock.release()  # as after a kill
    sweep(tmp_path)
    assert not first.folder.exists()
    assert not first.shadow.exists()
