import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from playhead.errors import DataDirBusy, LogCorrupt, LogUnavailable, SchemaTooNew
from playhead.log.offsets import Intent, Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "worker.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as ledger:
        yield ledger


def test_a_new_ledger_starts_at_zero(ledger: Ledger) -> None:
    assert (ledger.position(), ledger.intents(), ledger.counts()) == (0, [], {})


def test_an_intent_is_outstanding_until_it_is_done(ledger: Ledger) -> None:
    ledger.intend(Intent(0, 10, 1_000, "blocks=2"))
    assert ledger.intents() == [Intent(0, 10, 1_000, "blocks=2")]
    ledger.advance(10)
    assert (ledger.position(), ledger.intents()) == (10, [])


def test_two_intents_are_done_in_order(ledger: Ledger) -> None:
    ledger.intend(Intent(0, 10, 1_000))
    ledger.intend(Intent(10, 15, 1_001))
    with pytest.raises(ValueError, match="does not end"):
        ledger.advance(15)
    ledger.advance(10)
    assert ledger.intents() == [Intent(10, 15, 1_001)]


def test_a_third_intent_is_refused(ledger: Ledger) -> None:
    ledger.intend(Intent(0, 1, 0))
    ledger.intend(Intent(1, 2, 0))
    with pytest.raises(ValueError, match="already begun"):
        ledger.intend(Intent(2, 3, 0))


@pytest.mark.parametrize("intent", [Intent(1, 5, 0), Intent(0, 0, 0)])
def test_an_intent_follows_the_one_before(ledger: Ledger, intent: Intent) -> None:
    with pytest.raises(ValueError, match="does not follow"):
        ledger.intend(intent)


def test_without_intent_it_may_pass_over_offsets(ledger: Ledger) -> None:
    ledger.advance(7)
    assert ledger.position() == 7
    with pytest.raises(ValueError, match="behind"):
        ledger.advance(6)


def test_counts_add_up(ledger: Ledger) -> None:
    ledger.advance(1, {"stored": 20, "dropped:bot": 1})
    ledger.advance(2, {"stored": 5, "duplicates": 2})
    assert ledger.counts() == {"dropped:bot": 1, "duplicates": 2, "stored": 25}


def test_notes_are_replaced(ledger: Ledger) -> None:
    ledger.note(as_of=1, open_views=3)
    ledger.note(as_of=2)
    assert ledger.notes() == {"as_of": "2", "open_views": "3"}


def test_everything_survives_a_restart(ledger: Ledger, path: Path) -> None:
    ledger.advance(3, {"stored": 4})
    ledger.intend(Intent(3, 5, 9))
    ledger.note(state="inserting")
    ledger.close()
    with closing(Ledger(path)) as again:
        assert (again.position(), again.intents()) == (3, [Intent(3, 5, 9)])
        assert (again.counts(), again.notes()) == ({"stored": 4}, {"state": "inserting"})


def test_a_failed_advance_changes_nothing(ledger: Ledger) -> None:
    ledger.advance(3, {"stored": 4})
    with pytest.raises(LogUnavailable):
        ledger.advance(5, {"stored": 1, "broken": None})  # type: ignore[dict-item]
    assert (ledger.position(), ledger.counts()) == (3, {"stored": 4})


def test_a_second_worker_is_refused(ledger: Ledger, path: Path) -> None:
    with pytest.raises(DataDirBusy):
        Ledger(path)
    assert ledger.position() == 0


def test_another_process_reads_along(ledger: Ledger, path: Path) -> None:
    with closing(Ledger(path, writable=False)) as reader:
        ledger.advance(4, {"stored": 2})
        assert (reader.position(), reader.counts()) == (4, {"stored": 2})
        with pytest.raises(LogUnavailable):
            reader.advance(5)


def test_a_reader_may_come_first(path: Path) -> None:
    with closing(Ledger(path, writable=False)) as reader:
        assert (reader.position(), reader.notes()) == (0, {})
        with closing(Ledger(path)) as ledger:
            ledger.advance(4)
            assert reader.position() == 4


def test_a_damaged_ledger_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all, only text" * 30)
    with pytest.raises(LogCorrupt, match=path.name):
        Ledger(path)


def test_a_ledger_of_a_newer_release_is_refused(ledger: Ledger, path: Path) -> None:
    ledger.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=2")
    with pytest.raises(SchemaTooNew):
        Ledger(path)
