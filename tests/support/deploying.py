"""A live project in a store, rows that flow into it, and deployments of every kind of change."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.build.building import build
from playhead.build.deployment.deployments import Deployments
from playhead.build.deployment.record import Deployment
from playhead.build.lock import barrier
from playhead.build.target import Target, target_of
from playhead.clock import SystemClock
from playhead.config import Pipes
from playhead.project.folder import read_texts
from playhead.project.manifest import LIVE_FILE, Manifest, read_manifest
from playhead.project.routes import ROUTES_FILE, Shape, read_routes
from playhead.store.async_client import AsyncStoreClient
from support.running_store import RunningStore, running_store

PLAYS = """SCHEMA >
    at DateTime `json:$.at`,
    viewer String `json:$.viewer`,
    stalls UInt32 `json:$.stalls`

ENGINE MergeTree
ENGINE_SORTING_KEY at
"""
DAILY = """SCHEMA >
    day Date,
    plays AggregateFunction(count),
    stalls SimpleAggregateFunction(sum, UInt64)

ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY day
"""
DAILY_VIEW = """NODE by_day
SQL >
    SELECT toDate(at) AS day, countState() AS plays, sum(toUInt64(stalls)) AS stalls
    FROM plays GROUP BY day
TYPE materialized
DATASOURCE daily
"""
MONTHLY = """SCHEMA >
    month Date,
    stalls UInt64

ENGINE SummingMergeTree
ENGINE_SORTING_KEY month
"""
MONTHLY_VIEW = """NODE by_month
SQL >
    SELECT toStartOfMonth(day) AS month, sum(stalls) AS stalls FROM daily GROUP BY month
TYPE materialized
DATASOURCE monthly
"""
TOTAL = """NODE all
SQL >
    SELECT countMerge(plays) AS plays, sum(stalls) AS stalls FROM daily
TYPE endpoint
"""
FILES = {
    "datasources/plays.datasource": PLAYS,
    "datasources/daily.datasource": DAILY,
    "datasources/monthly.datasource": MONTHLY,
    "pipes/daily_view.pipe": DAILY_VIEW,
    "pipes/monthly_view.pipe": MONTHLY_VIEW,
    "endpoints/total.pipe": TOTAL,
}
BATCH = 100


class Site:
    """A folder with a live project, and rows that flow into it as the worker brings them."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.folder = folder
        self.store = target.store
        self.clock = SystemClock()
        self.target = target
        self.deployments = Deployments(target, self.clock)
        self.sent = 0
        self.batches = 0
        self.socket = ""

    async def build(self, files: Mapping[str, str]) -> None:
        result = await build(read_texts(files), self.target, self.clock)
        assert not result.problems, result.problems

    @property
    def live(self) -> Manifest:
        return read_manifest(self.folder / LIVE_FILE)

    async def send(self, name: str = "plays", count: int = BATCH, *, stalls: int = 1) -> None:
        """Insert rows in the newest shape of a data source into all its routes."""
        routes = read_routes(self.folder / ROUTES_FILE)
        shape = list(routes.sources[name].values())[-1]
        await self.insert(name, shape, count, stalls)

    async def insert(self, name: str, shape: Shape, count: int, stalls: int) -> None:
        self.batches += 1
        token = f"{name}:{self.batches}"
        values = {"at": "2030-01-01 00:00:00", "viewer": "ana", "stalls": stalls, "more": "x"}
        row = msgspec.json.encode({c: values.get(c) for c in shape.columns})
        for route in shape.routes:
            names = ", ".join(f"`{c}`" for c in shape.columns)
            await self.store.insert_rows(
                f"INSERT INTO `{route.database}`.`{route.table}` ({names}) FORMAT JSONEachRow",
                b"\n".join([row] * count),
                settings={"insert_deduplication_token": token},
            )
        self.sent += count

    async def flow(self, until: asyncio.Event) -> None:
        """Send rows until told to stop: each batch goes to where the routes lead, or waits."""
        while not until.is_set():
            async with barrier(self.folder, self.clock):
                await self.send()
            await asyncio.sleep(0.01)

    async def deploy(self, files: Mapping[str, str], **more: Any) -> Deployment:
        outcome = await self.deployments.create(read_texts(files), **more)
        assert outcome.result == "success", outcome.deployment.errors
        return await self.deployments.run(outcome.deployment.id)

    async def ask(self, sql: str, manifest: Manifest | None = None) -> list[Any]:
        """Ask with `{name}` for the place of a data source; return the first row."""
        manifest = manifest or self.live
        project = read_texts(manifest.files)
        places = {n: f"`{manifest.database_of(n)}`.`{n}`" for n in project.datasources}
        row: list[Any] = (await self.store.rows(sql.format(**places))).rows[0]
        return row

    async def books(self, manifest: Manifest | None = None) -> list[Any]:
        """Return how many rows each table tells of."""
        return await self.ask(
            "SELECT (SELECT count() FROM {plays}), (SELECT countMerge(plays) FROM {daily}),"
            " (SELECT sum(stalls) FROM {daily}), (SELECT sum(stalls) FROM {monthly})",
            manifest,
        )


@asynccontextmanager
async def live_site(running: RunningStore, folder: Path) -> AsyncGenerator[Site, None]:
    """Yield a site whose project is live and holds a thousand rows; its tables go with it."""
    store = AsyncStoreClient(running.location)
    target = await target_of(store, Pipes())
    database = f"p{folder.name.replace('-', '_')[-30:]}"
    site = Site(msgspec.structs.replace(target, data_dir=folder, database=database), folder)
    site.socket = running.location.socket
    await site.build(FILES)
    await site.send(count=1000)
    try:
        yield site
    finally:
        found = await store.rows(
            "SELECT name FROM system.databases WHERE startsWith(name, {name:String})",
            {"name": database},
        )
        for (name,) in found.rows:
            await store.command(f"DROP DATABASE IF EXISTS `{name}` SYNC")
        await store.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
async def site(running: RunningStore, tmp_path: Path) -> AsyncIterator[Site]:
    async with live_site(running, tmp_path) as site:
        yield site


def changed(path: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[path]
    return {**FILES, path: FILES[path].replace(old, new)}


CHANGES = {
    "a column with a default": (
        changed("datasources/plays.datasource", "$.stalls`", "$.stalls`,\n    more String DEFAULT 'x'"),
        "clone",
    ),
    "another sorting key": (
        changed("datasources/plays.datasource", "SORTING_KEY at", "SORTING_KEY viewer, at"),
        "move",
    ),
    "partitions": (
        changed(
            "datasources/plays.datasource", "MergeTree\n", "MergeTree\nENGINE_PARTITION_KEY viewer\n"
        ),
        "move",
    ),
    "a wider type": (
        changed("datasources/plays.datasource", "stalls UInt32", "stalls UInt64"),
        "move",
    ),
    "another type by a query": (
        changed(
            "datasources/plays.datasource", "stalls UInt32 `json:$.stalls`\n",
            "stalls String `json:$.stalls`\n\nFORWARD_QUERY >\n    SELECT at, viewer, toString(stalls) AS stalls\n",
        )
        | {"pipes/daily_view.pipe": DAILY_VIEW.replace("toUInt64(stalls)", "toUInt64OrZero(stalls)")},
        "move",
    ),
    "a TTL": (
        changed("datasources/plays.datasource", "KEY at\n", "KEY at\nENGINE_TTL at + INTERVAL 9 YEAR\n"),
        "clone",
    ),
    "another view": (
        changed("pipes/daily_view.pipe", "AS stalls\n", "+ 0 AS stalls\n"),
        "shared",
    ),
    "another key of a target": (
        changed("datasources/daily.datasource", "KEY day", "KEY day\nENGINE_PARTITION_KEY toYear(day)"),
        "shared",
    ),
    "a target that carries its rows over": (
        changed("datasources/plays.datasource", "SORTING_KEY at", "SORTING_KEY viewer, at")
        | {"datasources/daily.datasource": DAILY + "\nFORWARD_QUERY >\n    SELECT day, plays, stalls\n"},
        "move",
    ),
}  # fmt: skip
