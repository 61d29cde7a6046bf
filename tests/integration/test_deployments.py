"""Deployments over a real store: every kind of change with rows flowing, refusals, ways back."""

import asyncio
import contextlib
from typing import Any

import msgspec
import pytest

from playhead.build.building import build
from playhead.build.deployment import deployments, switch
from playhead.build.deployment.deployments import Deployments
from playhead.build.lock import barrier
from playhead.errors import Conflict, ProjectInvalid
from playhead.log.offsets import Ledger
from playhead.project.folder import read_texts
from playhead.project.manifest import LIVE_FILE, STAGING_FILE, read_manifest
from playhead.project.routes import ROUTES_FILE, read_routes
from support.deploying import CHANGES, DAILY_VIEW, FILES, Site, changed, running, site

__all__ = ["running", "site"]


@pytest.mark.parametrize("name", CHANGES)
async def test_nothing_is_lost_or_doubled_while_rows_flow(site: Site, name: str) -> None:
    files, kind = CHANGES[name]
    stop = asyncio.Event()
    flowing = asyncio.create_task(site.flow(stop))
    deployment = await site.deploy(files)
    assert (deployment.status, deployment.errors) == ("data_ready", ())
    assert deployment.plan.fates["plays"].kind == kind
    async with barrier(site.folder, site.clock):
        staged = read_manifest(site.folder / STAGING_FILE)
        assert await site.books(staged) == [site.sent] * 4
        assert await site.books() == [site.sent] * 4
    promoted = await site.deployments.promote(deployment.id)
    stop.set()
    await flowing
    assert (promoted.status, site.live.deployment) == ("live", deployment.id)
    assert await site.books() == [site.sent] * 4
    assert not (site.folder / STAGING_FILE).exists()


async def test_a_switch_leads_rows_of_before_to_the_new_table(site: Site) -> None:
    shape = next(iter(read_routes(site.folder / ROUTES_FILE).sources["plays"].values()))
    files, _ = CHANGES["another type by a query"]
    deployment = await site.deploy(files, auto=True)
    assert (deployment.status, deployment.errors) == ("live", ())
    routes = read_routes(site.folder / ROUTES_FILE)
    old = next(one for one in routes.sources["plays"].values() if one.types == shape.types)
    await site.insert("plays", old, 50, 1)
    assert await site.books() == [site.sent] * 4


async def test_deployments_follow_each_other_and_the_last_but_one_goes(site: Site) -> None:
    for name in ("another sorting key", "a column with a default", "another view"):
        deployment = await site.deploy(CHANGES[name][0], auto=True, allow_destructive=True)
        assert (deployment.status, deployment.errors) == ("live", ())
        await site.send()
        assert await site.books() == [site.sent] * 4
    statuses = [one.status for one in await site.deployments.newest()]
    found = await site.store.rows(
        "SELECT groupUniqArray(database) FROM system.tables WHERE startsWith(database, {d:String})"
        " AND name = 'daily'",
        {"d": site.target.database},
    )
    assert statuses == ["live", "previous", "deleted"]
    assert len(found.rows[0][0]) == 2


async def test_a_build_in_place_goes_on_where_a_deployment_has_moved_tables(site: Site) -> None:
    files = CHANGES["another sorting key"][0]
    await site.deploy(files, auto=True)
    result = await build(read_texts(files), site.target, site.clock)
    assert (result.problems, result.changes) == ((), ())
    more = {**files, "datasources/plays.datasource": files["datasources/plays.datasource"].replace(
        "$.stalls`", "$.stalls`,\n    more String DEFAULT 'x'"
    )}  # fmt: skip
    await site.build(more)
    await site.send()
    assert await site.books() == [site.sent] * 4
    assert await site.ask("SELECT uniqExact(more) FROM {plays}") == [1]


async def test_what_is_sent_to_staging_alone_is_only_there(site: Site) -> None:
    deployment = await site.deploy(CHANGES["a column with a default"][0])
    before = site.sent
    await site.send("staging:plays", 7)
    staged = read_manifest(site.folder / STAGING_FILE)
    assert await site.books(staged) == [before + 7] * 4
    assert await site.books() == [before] * 4
    await site.deployments.discard(deployment.id)
    assert not [n for n in read_routes(site.folder / ROUTES_FILE).sources if ":" in n]


async def test_discarding_leaves_no_trace(site: Site) -> None:
    async def state() -> tuple[bytes, bytes, list[Any]]:
        found = await site.store.rows(
            "SELECT database, name FROM system.tables WHERE startsWith(database, {d:String})"
            " ORDER BY ALL",
            {"d": site.target.database},
        )
        live, routes = site.folder / LIVE_FILE, site.folder / ROUTES_FILE
        return live.read_bytes(), routes.read_bytes(), found.rows

    before = await state()
    new = {"datasources/more.datasource": "SCHEMA >\n    id Int64 `json:$.id`\n"}
    deployment = await site.deploy(CHANGES["another type by a query"][0] | new)
    assert await state() != before
    await site.deployments.discard(deployment.id)
    assert await state() == before
    with pytest.raises(Conflict, match="deleted"):
        await site.deployments.promote(deployment.id)


async def test_a_pipe_alone_goes_there_and_back(site: Site) -> None:
    before = site.live.files
    changed_pipe = changed("endpoints/total.pipe", "AS stalls FROM", "AS all_stalls FROM")
    deployment = await site.deploy(changed_pipe, auto=True)
    assert (site.live.files, site.live.deployment) == (changed_pipe, deployment.id)
    await site.deployments.promote("0")
    assert (site.live.files, site.live.deployment) == (before, "")
    await site.deployments.promote(deployment.id)
    assert site.live.files == changed_pipe


async def test_tables_that_moved_have_no_way_back_but_a_deployment(site: Site) -> None:
    deployment = await site.deploy(CHANGES["another sorting key"][0], auto=True)
    with pytest.raises(Conflict, match="has moved tables"):
        await site.deployments.promote("0")
    await site.send()
    again = await site.deploy(FILES, auto=True)
    assert (again.status, site.live.files) == ("live", FILES)
    assert await site.books() == [site.sent] * 4
    assert deployment.id != again.id


REFUSED = {
    "a type without a query": (
        changed("datasources/plays.datasource", "stalls UInt32", "stalls Int16"),
        "FORWARD_QUERY",
    ),
    "a query that casts nothing": (
        changed(
            "datasources/plays.datasource", "stalls UInt32 `json:$.stalls`\n",
            "stalls Int16 `json:$.stalls`\n\nFORWARD_QUERY >\n    SELECT at, viewer, stalls\n",
        ),
        "makes 'stalls' of UInt32",
    ),
    "a query that leaves a column out": (
        changed(
            "datasources/plays.datasource", "stalls UInt32 `json:$.stalls`\n",
            "stalls Int16 `json:$.stalls`\n\nFORWARD_QUERY >\n    SELECT at, toInt16(stalls) AS stalls\n",
        ),
        "leaves out 'viewer'",
    ),
    "a query that reads a file": (
        changed(
            "datasources/plays.datasource", "stalls UInt32 `json:$.stalls`\n",
            "stalls Int16 `json:$.stalls`\n\nFORWARD_QUERY >\n    SELECT at, file('/etc/passwd') AS viewer,"
            " toInt16(stalls) AS stalls\n",
        ),
        "Function file is not allowed",
    ),
    "a query that counts": (
        changed(
            "datasources/plays.datasource", "stalls UInt32 `json:$.stalls`\n",
            "stalls Int16 `json:$.stalls`\n\nFORWARD_QUERY >\n    SELECT max(at) AS at, max(viewer) AS viewer,"
            " toInt16(count()) AS stalls\n",
        ),
        "makes one row of many",
    ),
    "a data source that goes": (
        {n: t for n, t in FILES.items() if "month" not in n},
        "--allow-destructive-operations",
    ),
    "rows that would expire": (
        changed("datasources/plays.datasource", "SORTING_KEY at", "SORTING_KEY viewer, at")
        | {"pipes/daily_view.pipe": DAILY_VIEW.replace("FROM plays", "FROM plays WHERE 1")},
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_would_lose_rows_is_refused_with_its_reason(site: Site, name: str) -> None:
    files, reason = REFUSED[name]
    before = (site.folder / LIVE_FILE).read_bytes()
    outcome = await site.deployments.check(read_texts(files))
    assert (outcome.result == "failed") == bool(reason), outcome.deployment.errors
    assert reason in " ".join(one.error for one in outcome.deployment.errors)
    assert (site.folder / LIVE_FILE).read_bytes() == before


async def test_a_row_that_cannot_be_carried_over_ends_it(site: Site) -> None:
    await site.store.command(
        f"INSERT INTO `{site.target.database}`.plays VALUES (0, 'no number', 1)"
    )
    files = changed(
        "datasources/plays.datasource", "viewer String `json:$.viewer`,",
        "viewer UInt64 `json:$.viewer`,",
    )  # fmt: skip
    files["datasources/plays.datasource"] += (
        "\nFORWARD_QUERY >\n    SELECT at, toUInt64(viewer) AS viewer, stalls\n"
    )
    deployment = await site.deploy(files)
    assert (deployment.status, "Cannot parse" in deployment.errors[-1].error) == ("failed", True)
    assert not (site.folder / STAGING_FILE).exists()
    await site.send()
    with pytest.raises(Conflict):
        await site.deployments.promote(deployment.id)


async def test_only_one_is_staged_and_nothing_is_built_meanwhile(site: Site) -> None:
    await site.deploy(CHANGES["another sorting key"][0])
    with pytest.raises(Conflict, match="is staged already"):
        await site.deployments.create(read_texts(CHANGES["another view"][0]))
    with pytest.raises(Conflict, match="A deployment is staged"):
        await build(read_texts(FILES), site.target, site.clock)


async def test_a_refusal_of_the_worker_stops_the_promotion(site: Site) -> None:
    deployment = await site.deploy(CHANGES["another type by a query"][0])
    refused = site.folder / "project" / "deployments" / "refused.json"
    refused.write_text('{"datasource": "plays", "reason": "no number"}')
    with pytest.raises(Conflict, match="'plays': no number"):
        await site.deployments.promote(deployment.id)
    assert site.live.deployment == ""


async def test_a_refusal_while_the_promotion_waits_stops_it(site: Site) -> None:
    deployment = await site.deploy(CHANGES["another type by a query"][0])
    folder = site.folder / "project" / "deployments"
    async with barrier(site.folder, site.clock):
        promotion = asyncio.create_task(site.deployments.promote(deployment.id))
        while not (folder / deployment.id / "before.json").exists():  # noqa: ASYNC110 (a file is no event)
            await asyncio.sleep(0.01)
        (folder / "refused.json").write_text('{"datasource": "plays", "reason": "no number"}')
    with pytest.raises(Conflict, match="'plays': no number"):
        await promotion
    assert (site.live.deployment, (site.folder / STAGING_FILE).exists()) == ("", True)


async def test_a_promotion_cut_off_before_it_is_live_leaves_rows_their_way(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = await site.deploy(CHANGES["another type by a query"][0])
    monkeypatch.setattr(switch, "write_live", _cut_off)
    with pytest.raises(OSError, match="cut off"):
        await site.deployments.promote(deployment.id)
    monkeypatch.undo()
    await site.send()
    assert await site.books() == [site.sent] * 4
    assert await site.books(read_manifest(site.folder / STAGING_FILE)) == [site.sent] * 4
    await site.deployments.discard(deployment.id)
    await site.send()
    assert await site.books() == [site.sent] * 4


async def test_what_is_live_goes_with_no_discard_when_the_rest_was_cut_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployments, "ensure_tokens", _fail)
    with pytest.raises(ProjectInvalid, match="cut off"):
        await site.deploy(CHANGES["another sorting key"][0], auto=True)
    monkeypatch.undo()
    with pytest.raises(Conflict, match="is live"):
        await site.deployments.discard("1")
    assert (await site.deployments.promote("1")).status == "live"
    await site.send()
    assert await site.books() == [site.sent] * 4


def _cut_off(*_: Any) -> None:
    raise OSError("cut off")


def _fail(*_: Any) -> None:
    raise ProjectInvalid("cut off")


async def test_the_cut_waits_for_rows_of_older_columns(site: Site) -> None:
    await site.build(CHANGES["a column with a default"][0])
    made = Deployments(site.target, site.clock, log_end=lambda: 5)
    files = CHANGES["a column with a default"][0] | CHANGES["another view"][0]
    files["datasources/plays.datasource"] = CHANGES["a column with a default"][0][
        "datasources/plays.datasource"
    ].replace("SORTING_KEY at", "SORTING_KEY viewer, at")
    outcome = await made.create(read_texts(files))
    was_cut: list[bool] = []
    with contextlib.closing(Ledger(site.folder / "worker.db")) as ledger:

        def look() -> None:
            was_cut.append((site.folder / STAGING_FILE).exists())
            if len(was_cut) == 3:
                ledger.advance(5)

        deployment = await made.run(outcome.deployment.id, look)
        assert (was_cut[:4], ledger.position()) == ([False] * 4, 5)
    assert (deployment.status, deployment.errors) == ("data_ready", ())


async def test_new_rows_hide_none_that_is_missing(site: Site) -> None:
    deployment = await site.deploy(CHANGES["another sorting key"][0])
    await site.store.command(f"TRUNCATE TABLE `{deployment.database}`.plays SYNC")
    await site.send(count=1000)
    site.deployments.records.write(msgspec.structs.replace(deployment, status="in_progress"))
    again = await site.deployments.run(deployment.id)
    assert (again.status, "Of 2000 rows of 'plays'" in again.errors[-1].error) == ("failed", True)


async def test_the_same_files_are_no_deployment(site: Site) -> None:
    outcome = await site.deployments.create(read_texts(FILES))
    assert (outcome.result, outcome.deployment.id) == ("no_changes", "")


async def test_a_table_that_keeps_nothing_and_a_join_follow(site: Site) -> None:
    more = {
        "datasources/raw.datasource": "SCHEMA >\n    at DateTime `json:$.at`,\n    stalls UInt32"
        " `json:$.stalls`\n\nENGINE Null\n",
        "datasources/hours.datasource": "SCHEMA >\n    hour DateTime,\n    stalls UInt64\n\n"
        "ENGINE SummingMergeTree\nENGINE_SORTING_KEY hour\n",
        "pipes/hours_view.pipe": "NODE by_hour\nSQL >\n    SELECT toStartOfHour(at) AS hour,"
        " sum(stalls) AS stalls FROM raw GROUP BY hour\nTYPE materialized\nDATASOURCE hours\n",
        "datasources/names.datasource": "SCHEMA >\n    viewer String,\n    name String\n\n"
        "ENGINE Join\nENGINE_KEY_COLUMNS viewer\nENGINE_JOIN_STRICTNESS ANY\nENGINE_JOIN_TYPE LEFT\n",
    }
    await site.deploy({**FILES, **more}, auto=True)
    await site.send("raw", 10)
    names = f"`{site.live.database_of('names')}`.names"
    await site.store.command(f"INSERT INTO {names} VALUES ('ana', 'Ana'), ('bob', 'Bob')")
    wider = {name: text.replace("stalls UInt32", "stalls UInt64") for name, text in more.items()}
    wider["datasources/names.datasource"] = more["datasources/names.datasource"].replace(
        "name String", "name Nullable(String)"
    )
    deployment = await site.deploy({**FILES, **wider}, auto=True)
    assert (deployment.status, deployment.errors) == ("live", ())
    await site.send("raw", 5)
    assert await site.ask("SELECT sum(stalls) FROM {hours}") == [15]
    assert await site.ask("SELECT count(), uniqExact(name) FROM {names}") == [2, 2]


async def test_a_data_source_that_comes_back_keeps_its_refused_rows(site: Site) -> None:
    without = {name: text for name, text in FILES.items() if "month" not in name}
    await site.deploy(without, auto=True, allow_destructive=True)
    await site.deploy(FILES, auto=True)
    await site.send()
    assert await site.books() == [site.sent] * 4
    found = await site.store.rows(
        "SELECT count() FROM system.tables WHERE database = {d:String}"
        " AND name = 'monthly_quarantine'",
        {"d": site.target.database},
    )
    assert found.rows == [[1]]
