"""The store process: one a folder, ready when migrated, replaceable, stoppable under load."""

import signal
import stat
import threading
from pathlib import Path

import pytest

from playhead.errors import PlayheadError, StoreUnavailable
from playhead.store.client import StoreClient
from support.running_store import launch, now_ms, running_store

ENDLESS = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
REFUSED = 3


def test_only_the_user_may_open_the_socket(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        mode = Path(store.location.socket).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert store.end() == 0
        assert not Path(store.location.socket).exists()


def test_a_second_process_on_the_folder_is_refused(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        second = launch(tmp_path, {"quiet": True})
        _, said = second.communicate()
        assert second.returncode == REFUSED
        assert b"data_dir_busy" in said
        assert store.client.rows("SELECT 1").rows == [[1]]


def test_a_killed_store_comes_back_with_its_rows(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        row = b'[%d,"kept"]\n' % now_ms()
        store.client.insert("quarantine", ["received_at", "code"], row, token="kept:1")  # noqa: S106
        store.end(signal.SIGKILL)
        assert Path(store.location.socket).exists()
    with running_store(tmp_path) as store:
        assert store.client.rows("SELECT code FROM quarantine").rows == [["kept"]]


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        store.client.command("INSERT INTO schema_migrations (number, name) SELECT 9999, 'later'")
        store.end()
    later = launch(tmp_path, {"quiet": True})
    _, said = later.communicate()
    assert later.returncode == REFUSED
    assert b"schema_too_new" in said


def test_retention_follows_the_settings(tmp_path: Path) -> None:
    query = "SELECT create_table_query FROM system.tables WHERE name = 'events'"
    with running_store(tmp_path) as store:
        assert "toIntervalDay(30)" in store.client.rows(query).rows[0][0]
        store.end()
    with running_store(tmp_path, process__event_retention_days=9) as store:
        assert "toIntervalDay(9)" in store.client.rows(query).rows[0][0]


def test_sigterm_ends_running_queries_and_the_process(tmp_path: Path) -> None:
    errors: list[PlayheadError] = []

    def ask(client: StoreClient) -> None:
        try:
            client.rows(ENDLESS)
        except PlayheadError as error:
            errors.append(error)

    with running_store(tmp_path, query__timeout_ms=60_000) as store:
        clients = [StoreClient(store.location) for _ in range(3)]
        threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        running = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sum%'"
        while store.client.rows(running).rows[0][0] < 3:
            pass
        assert store.end() == 0
        for thread in threads:
            thread.join()
    assert [type(error) for error in errors] == [StoreUnavailable] * 3
    for client in clients:
        client.close()


def test_a_kill_under_a_query_is_told_as_unavailable(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        threading.Timer(0.5, store.process.kill).start()
        with pytest.raises(StoreUnavailable):
            store.client.rows(ENDLESS)
        with pytest.raises(StoreUnavailable):
            store.client.rows("SELECT 1")
