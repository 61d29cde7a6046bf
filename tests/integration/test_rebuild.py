"""Views folded again beside a worker: what changes, what stays, and what a kill leaves."""

from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from playhead.errors import Conflict, DataDirBusy, DiskLow
from playhead.process.fold import scores
from playhead.rebuild import progress, side
from playhead.rebuild.rebuild import Rebuild
from playhead.rebuild.side import GONE, ROWS, Side
from support.rebuilding import DAY_MS, World, replayed
from support.running_store import RunningStore, running_store

SILENT = {"process__heartbeat_timeout_ms": 12_000}
"""Settings by which a view that falls silent was watched for a shorter time."""
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    folder: Path = tmp_path_factory.mktemp("store")
    with running_store(folder) as running:
        yield running


@pytest.fixture
def world(store: RunningStore, tmp_path: Path) -> World:
    """Four views on each of three days, all over, and one that is open."""
    world = World(tmp_path, store)
    for day in range(3):
        world.watch(*(f"v{day}{number}" for number in range(4)))
        world.tick(DAY_MS - 40_000)
    world.watch("open")
    world.tick(1_000)
    return world


def taken_over(world: World) -> Rebuild:
    with closing(world.rebuild()) as rebuild:
        if not rebuild.goes_on("", ""):
            rebuild.begin()
        rebuild.fold()
        rebuild.switch()
        return rebuild


def is_as_replayed(world: World) -> bool:
    rows = world.rows()
    anew = replayed(world, [row.view_key for row in rows.values()])
    return rows.keys() == anew.keys() and not any(
        rows[id_].differs(row) for id_, row in anew.items() if row.final
    )


def test_what_was_folded_otherwise_becomes_what_a_fresh_replay_makes(world: World) -> None:
    world.fold_with(**SILENT)
    assert not is_as_replayed(world)
    rebuild = world.rebuild()
    found = rebuild.begin()
    before = {id_: row.values for id_, row in world.rows().items()}
    rebuild.fold()
    tally = found.tally
    assert (tally.views, tally.changed, tally.not_final) == (13, 12, 1)
    assert {id_: row.values for id_, row in world.rows().items()} == before
    changed = {one.id: one for one in rebuild.totals.differences(found.old, found.new)}
    assert (changed["views"].old, changed["views"].new) == (13, 13)
    assert changed["playing_time"].is_changed
    rebuild.switch()
    rebuild.close()
    assert is_as_replayed(world)
    assert world.rows()["open"].values == before["open"]


def test_a_damaged_row_is_mended_and_a_second_time_nothing_changes(world: World) -> None:
    world.damage("view_id IN ('v00', 'v21')", playing_ms="1.0", country="'XX'", duplicates="7")
    rebuild = taken_over(world)
    assert rebuild.progress is not None
    assert (rebuild.progress.tally.changed, is_as_replayed(world)) == (2, True)
    assert world.rows()["v00"].duplicates == 7  # nobody stores what came twice
    parts = world.parts()
    again = taken_over(world)
    assert again.progress is not None
    assert (again.progress.tally.written, world.parts()) == (0, parts)


@pytest.mark.parametrize("step", [0, 1, 3, 4, 12, 14, 15, 16, 17, 22, 23, 24])
def test_killed_at_any_step_it_goes_on_and_ends_the_same(
    world: World, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fold_with(**SILENT)
    world.damage("view_id = 'v20'", view_id="'cut'")
    kill_at_call(monkeypatch, step)
    try:
        taken_over(world)
    except KeyboardInterrupt:
        monkeypatch.undo()
        world.watch("v10", beats=6)  # two more events of one that was folded
        taken_over(world)
    else:
        pytest.fail(f"there is no step {step}")
    assert is_as_replayed(world)  # without the row that the fold does not make
    tables = f"SELECT count() FROM system.tables WHERE name IN ('{ROWS}', '{GONE}')"
    assert world.store.client.rows(tables).rows == [[0]]


def kill_at_call(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """End the n-th step right after it was done, or in its middle, as `kill -9` would."""
    left = [step]

    def killing(act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            done = act(*args, **options)
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return done

        return call

    for name in ("drop", "empty", "put", "take_over"):
        monkeypatch.setattr(Side, name, killing(getattr(Side, name)))
    monkeypatch.setattr(progress, "write", killing(progress.write))


def test_events_that_come_meanwhile_win(world: World) -> None:
    world.fold_with(**SILENT)
    rebuild = world.rebuild()
    rebuild.begin()
    world.send({"viewId": "v01", "eventType": "TIME_UPDATE", "seq": 9, "playbackPositionSec": 90})
    found = rebuild.fold()
    world.send({"viewId": "v02", "eventType": "TIME_UPDATE", "seq": 9, "playbackPositionSec": 90})
    assert (found.tally.changed, found.tally.newer) == (11, 0)
    rebuild.switch()
    rebuild.close()
    world.tick(2 * HOUR_MS)
    assert (world.rows()["v01"].events, world.rows()["v02"].events) == (5, 5)
    assert is_as_replayed(world)


def test_views_whose_events_are_gone_stay(world: World) -> None:
    world.fold_with(**SILENT)
    before = {id_: row.values for id_, row in world.rows().items()}
    first = world.rows()["v00"].first_seen_day
    # The first day as a whole, and the beginning of one view of the second.
    world.store.client.command(f"ALTER TABLE events DROP PARTITION '{first}'")
    world.store.client.command(
        "ALTER TABLE events DELETE WHERE view_id = 'v10' AND seq = 0",
        settings={"mutations_sync": 1},
    )
    rebuild = taken_over(world)
    assert rebuild.progress is not None
    assert (rebuild.progress.tally.events_gone, rebuild.progress.tally.changed) == (5, 7)
    rows = world.rows()
    assert all(rows[id_].values == before[id_] for id_ in ("v00", "v03", "v10", "open"))


def test_sessions_are_cut_otherwise_where_all_their_events_are_there(world: World) -> None:
    for _ in range(3):
        world.watch("", sessionId="s")
        world.tick(HOUR_MS // 2)
    world.tick(3 * HOUR_MS)
    world.tick(1)  # a row of the very last moment would be the worker's
    one = len(world.rows())
    world.fold_with(process__view_idle_ms=600_000)
    rebuild = taken_over(world)
    assert rebuild.progress is not None
    assert (rebuild.progress.tally.added, len(world.rows()) - one) == (2, 2)
    assert is_as_replayed(world)
    world.fold_with()
    rebuild = taken_over(world)
    assert rebuild.progress is not None
    assert (rebuild.progress.tally.removed, len(world.rows()) - one) == (2, 0)
    assert is_as_replayed(world)


def test_views_that_go_make_place_for_theirs_in_whichever_slice_they_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side, "ROWS_PER_SLICE", 1)
    # Rows of another cut, written while they were open and again when they were over.
    world.damage("view_id LIKE 'v1%'", view_id="concat('cut', view_id)", final="false")
    world.damage("view_id LIKE 'cut%'", final="true")
    world.store.client.command("DELETE FROM views WHERE view_id LIKE 'v1%'")
    world.tick(1)
    with closing(world.rebuild()) as rebuild:
        rebuild.begin()
        found = rebuild.fold()
        assert (found.tally.added, found.tally.removed) == (4, 4)
        for number in range(4):
            Side(world.store.client).take_over(found.touched[0], (number, 4), found.plan)
        ids = set(world.rows())
        rebuild.switch()
    assert {"v10", "v11", "v12", "v13"} <= ids == set(world.rows())
    assert not any(one.startswith("cut") for one in ids)


def test_rollups_of_other_thresholds_than_the_servers_stay(world: World) -> None:
    taken_over(world)
    columns = (
        "SELECT name FROM system.columns WHERE table = 'view_rollup' AND match(name, '^[nsuq]_')"
    )
    world.store.client.command("ALTER TABLE view_rollup ADD COLUMN s_another Float64")
    world.fold_with(**SILENT)
    taken_over(world)
    assert ["s_another"] in world.store.client.rows(columns).rows
    world.store.client.command("ALTER TABLE view_rollup DROP COLUMN s_another")


def test_a_view_that_was_deleted_meanwhile_does_not_come_back(world: World) -> None:
    world.fold_with(**SILENT)
    rebuild = world.rebuild()
    rebuild.begin()
    rebuild.fold()
    for table in ("views", "events"):
        gone = "'v11', 'v12'" if table == "events" else "'v11'"
        world.store.client.command(f"DELETE FROM {table} WHERE view_id IN ({gone})")
    # The other row is of somebody who came back since, so far without any event of before.
    world.store.client.command(
        "INSERT INTO forgotten (kind, property, digest, log_offset)"
        f" VALUES ('viewer', 'p', 'x', {world.next})"
    )
    before = world.rows()["v12"].values
    rebuild.switch()
    rebuild.close()
    assert "v11" not in world.rows()
    assert world.rows()["v12"].values == before


def test_another_fold_than_the_workers_is_refused(world: World) -> None:
    rebuild = world.rebuild(**SILENT)
    with pytest.raises(Conflict, match="heartbeat_timeout_ms"):
        rebuild.begin()
    with pytest.raises(DataDirBusy):
        world.rebuild()
    rebuild.close()


def test_days_are_as_asked_for_and_a_full_disk_stops_it(world: World) -> None:
    world.fold_with(**SILENT)
    day = world.rows()["v10"].first_seen_day
    rebuild = world.rebuild()
    assert rebuild.begin(day, day).plan.days == (day,)
    assert rebuild.fold().tally.changed == 4
    assert (rebuild.goes_on("", ""), rebuild.goes_on(day, "")) == (True, False)
    rebuild.discard()
    rebuild.close()
    full = world.rebuild(**SILENT, log__free_space_floor_bytes=1 << 60)
    full.begin()
    with pytest.raises(DiskLow):
        full.fold()
    full.close()


def test_rollups_of_the_days_are_made_anew(world: World) -> None:
    states = "SELECT count() FROM view_rollup_state FINAL WHERE row_count > 0"
    taken_over(world)
    world.fold_with(**SILENT)
    taken_over(world)
    assert world.store.client.rows(states).rows[0][0] >= 3
    merged = "SELECT max(n) FROM (SELECT count() AS n FROM system.parts WHERE table = 'views'"
    found = world.store.client.rows(
        f"{merged} AND active AND toDate(partition) < today() - 1 GROUP BY partition)"
    )
    assert found.rows == [[1]]


def test_a_new_model_of_scores_reaches_views_that_are_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "startup_score", lambda _: 42.0)
    for module in ("process.stamp", "process.fold.finish"):
        monkeypatch.setattr(import_module(f"playhead.{module}"), "SCORE_VERSION", 9)
    with closing(world.rebuild()) as early, pytest.raises(Conflict, match="score_version"):
        early.begin()  # the worker is not of the new release yet
    world.fold_with()
    rebuild = taken_over(world)
    assert rebuild.progress is not None
    final = [row for row in world.rows().values() if row.final]
    assert {(row.score_startup, row.score_version) for row in final} == {(42, 9)}
    assert rebuild.progress.tally.changed == len(final)
