"""A build writes where rows go, also those that were logged in columns the data source has left."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from playhead.build.building import build
from playhead.build.lock import barrier
from playhead.build.target import BuildResult, target_of
from playhead.clock import SystemClock
from playhead.config import Pipes
from playhead.errors import RowsUnsettled
from playhead.log.lock import SharedLock
from playhead.log.offsets import Intent, Ledger
from playhead.process.made_rows import Group, Made, Outcome
from playhead.process.patience import Patience
from playhead.process.project_rows import ProjectRows
from playhead.project.folder import read_texts
from playhead.project.manifest import LOCK_FILE
from playhead.project.routes import ROUTES_FILE, Routes, read_routes
from playhead.store.async_client import AsyncStoreClient
from support.running_store import RunningStore, running_store

FIRST = "SCHEMA >\n    viewer String `json:$.viewer`,\n    n Int64 `json:$.n`\n"
WIDER = FIRST.rstrip() + ",\n    device String `json:$.device` DEFAULT 'tv'\n"
NARROWER = "SCHEMA >\n    n UInt8 `json:$.n`,\n    day DEFAULT toDate('2030-01-01')\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    folder: Path = tmp_path_factory.mktemp("routing")
    with running_store(folder) as running:
        yield running


class Place:
    """A data folder that is built into."""

    def __init__(self, store: RunningStore, folder: Path, database: str) -> None:
        self.store, self.folder, self.database = store, folder, database

    def build(self, text: str) -> BuildResult:
        return asyncio.run(self._build({"datasources/plays.datasource": text}))

    async def _build(self, files: Mapping[str, str]) -> BuildResult:
        client = AsyncStoreClient(self.store.location)
        try:
            target = await target_of(client, Pipes())
            target = msgspec.structs.replace(target, data_dir=self.folder, database=self.database)
            return await build(read_texts(files), target, SystemClock())
        finally:
            await client.close()

    def routes(self) -> Routes:
        return read_routes(self.folder / ROUTES_FILE)

    def insert(self, shape: str, line: bytes, span: str) -> Outcome:
        rows = ProjectRows(self.folder, self.store.client, Patience())
        return rows.store(Group("", "plays", shape), [Made(0, 0, line + b"\n", 1)], span, at_s=1)

    def ask(self, sql: str) -> list[list[object]]:
        return self.store.client.rows(sql.replace("FROM plays", f"FROM {self.database}.plays")).rows


@pytest.fixture
def place(store: RunningStore, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return Place(store, tmp_path, f"r_{abs(hash(request.node.name)) % 10**9}")


def test_rows_of_older_columns_find_their_way(place: Place) -> None:
    place.build(FIRST)
    [old] = place.routes().sources["plays"]
    assert place.insert(old, b'["ana",1]', "0-1").stored == 1
    place.build(WIDER)
    assert next(iter(place.routes().sources["plays"])) == old
    assert place.insert(old, b'["bo",2]', "1-2").stored == 1
    assert place.ask("SELECT viewer, n, device FROM plays ORDER BY n") == [
        ["ana", 1, "tv"],
        ["bo", 2, "tv"],
    ]


def test_rows_of_columns_of_other_types_pass_through_a_passage(place: Place) -> None:
    place.build(FIRST)
    [old] = place.routes().sources["plays"]
    place.build(NARROWER)  # the table is empty, so it is made anew; rows may be in the log
    routes = place.routes()
    [route] = routes.sources["plays"][old].routes
    assert route.passage == f"{place.database}_passages.plays_{old}_view"
    assert routes.types["plays"] == {"day": "Date"}
    for _ in range(2):
        assert place.insert(old, b'["ana",7]', "0-1").stored == 1
        refused = place.insert(old, b'["bo",300]', "1-2")
        assert (refused.stored, refused.quarantined) == (0, 1)
    assert place.ask("SELECT n, toString(day) FROM plays") == [[7, "2030-01-01"]]
    [[reason]] = place.ask("SELECT c__error FROM plays_quarantine")
    assert "300" in str(reason) or "UInt8" in str(reason)


def test_tables_of_an_earlier_release_get_what_makes_repeats_harmless(place: Place) -> None:
    place.build(FIRST)
    for name in ("plays", "plays_quarantine"):
        place.store.client.command(
            f"ALTER TABLE {place.database}.{name} RESET SETTING non_replicated_deduplication_window, fsync_after_insert"
        )
    (place.folder / ROUTES_FILE).unlink()
    place.build(FIRST)
    found = place.ask(
        f"SELECT count() FROM system.tables WHERE database = '{place.database}'"
        " AND engine_full LIKE '%fsync_after_insert = 1%non_replicated_deduplication_window = 10000%'"
    )
    assert found == [[2]]
    assert place.routes().sources["plays"]


def test_a_build_waits_for_rows_on_their_way(place: Place) -> None:
    held = SharedLock(place.folder / LOCK_FILE)

    async def pass_soon() -> None:
        async with barrier(place.folder, SystemClock(), wait_s=0.2):
            pass

    with pytest.raises(RowsUnsettled):
        asyncio.run(pass_soon())
    held.release()
    asyncio.run(pass_soon())
    ledger = Ledger(place.folder / "worker.db")
    ledger.intend(Intent(0, 1, 0, "rows"))
    with pytest.raises(RowsUnsettled):
        asyncio.run(pass_soon())
    ledger.advance(1)
    ledger.intend(Intent(1, 2, 0))
    asyncio.run(pass_soon())
    ledger.close()
    shutil.rmtree(place.folder / "project")
