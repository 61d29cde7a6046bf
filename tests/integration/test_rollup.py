"""Rollups over a real store: the same numbers with and without, whatever is asked and amended."""

import contextlib
import random
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from playhead.errors import PlayheadError
from playhead.query.catalogue import catalogue
from playhead.query.pieces import taken
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.rolled import (
    DAY_MS,
    DAYS,
    HOUR_MS,
    START_MS,
    TODAY,
    apps,
    closed,
    make,
    random_question,
    random_view,
    rollups,
    same,
    store,
)
from support.running_store import RunningStore, running_store

__all__ = ["apps", "store"]


@pytest.mark.parametrize("seed", range(3))
async def test_sums_are_the_same_from_rollups_and_from_views(
    store: RunningStore,
    apps: tuple[Answering, Answering],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr("playhead.query.rollup.LONG_DAYS", 0)  # weeks also of plain sums
    draw = random.Random(seed)
    views = [random_view(draw) for _ in range(800)]
    insert_views(store, *views[:600])
    make(store)
    amended = [one | {"watch_ms": 5.0, "version": one["version"] + 1} for one in views[:30]]
    # The third time only the last three days are amended: the weeks before count.
    late = [one for one in views[600:] if one["started_at"] > NOW_MS - 3 * DAY_MS]
    since = [[], [*amended, *views[600:]], late][seed]
    if since:
        insert_views(store, *since)
    for number in range(50):
        path, values = random_question(draw)
        quick, plain = [await app.data(path, **values) for app in apps]
        assert same(quick, plain), (number, path, values, quick, plain)


def plain_day(day: int, **given: Any) -> dict[str, Any]:
    start = START_MS + day * DAY_MS + 9 * HOUR_MS
    return view_row(started_at=start, ended_at=start + 60_000, **given)


async def views_of(app: Answering, **values: Any) -> Any:
    values = {"from_": START_MS, "to": NOW_MS} | values
    return (await app.data("/v1/metrics/views/overall", **values))["views"]


def add_row(store: RunningStore, made: str) -> None:
    """Put a thousand views that never were into a making."""
    store.client.command(
        "INSERT INTO playhead.view_rollup (first_seen_day, made, moment, hours, dimension, since,"
        " value, property, bot, internal, "
        f"{', '.join(one.column.name for one in counts())}) SELECT first_seen_day, {made}, 'start',"
        f" 24, '', first_seen_day, '', 'default', false, false{', 1000' * len(counts())}"
        " FROM playhead.view_rollup_state LIMIT 1"
    )


def counts() -> list[Any]:
    found = taken(catalogue().metrics["views"], "count")
    assert found is not None
    return list({piece.column.name: piece for piece in found.pieces}.values())


async def test_a_making_counts_once_the_state_names_it(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, plain_day(3))
    make(store)
    add_row(store, "7")
    before = await views_of(apps[0])
    add_row(store, "made")
    assert (before, await views_of(apps[0])) == (1, 1001)


async def test_a_late_view_of_a_day_ends_its_rollup_until_it_is_made_again(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, plain_day(3))
    make(store)
    add_row(store, "made")
    insert_views(store, plain_day(3))
    assert await views_of(apps[0]) == 2
    assert (len(make(store)), make(store), await views_of(apps[0])) == (1, [], 2)


async def test_an_app_that_saw_the_days_before_sees_what_came_since(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, plain_day(3), plain_day(4))
    made = [len(make(store))]
    seen = [await views_of(apps[0])]
    insert_views(store, plain_day(3))
    seen.append(await views_of(apps[0]))
    made.append(len(make(store)))
    add_row(store, "made")
    seen.append(await views_of(apps[0]))
    assert (made, seen) == ([2, 1], [2, 3, 1003])


async def test_a_day_waits_until_nothing_came_between_two_rounds(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, plain_day(3))
    maker = rollups(store, settled=True)
    rounds = [maker.make(TODAY, days_max=9)]
    insert_views(store, plain_day(3))
    rounds += [maker.make(TODAY, days_max=9) for _ in range(3)]
    assert [len(one) for one in rounds] == [0, 0, 1, 0]


async def test_today_has_no_rollup_and_the_newest_days_come_first(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, view_row(first_seen_day=TODAY.isoformat()), plain_day(3), plain_day(5))
    made = [rollups(store).make(TODAY, days_max=1) for _ in range(3)]
    days = [(TODAY - timedelta(DAYS - day)).isoformat() for day in (5, 3)]
    assert [one[:1] for one in made] == [[days[0]], [days[1]], []]


async def test_makings_of_one_second_have_numbers_of_their_own(
    store: RunningStore, apps: tuple[Answering, Answering], monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_views(store, *(plain_day(day) for day in range(DAYS)))
    monkeypatch.setattr("playhead.store.rollup.MADE_STEP", 1)  # no chance to differ by
    assert len(make(store)) == DAYS
    found = store.client.rows("SELECT uniqExact(made) FROM playhead.view_rollup_state FINAL")
    assert found.rows == [[DAYS]]


async def test_what_no_state_names_is_removed(
    store: RunningStore, apps: tuple[Answering, Answering], monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_views(store, plain_day(3))
    make(store)
    add_row(store, "7")
    monkeypatch.setattr("playhead.store.rollup.SWEEP_AFTER_S", -10)
    monkeypatch.setattr("playhead.store.rollup.SWEEP_PERCENT", 0)
    make(store)
    waits = store.client.rows("SELECT countIf(made = 7) FROM playhead.view_rollup").rows
    monkeypatch.setattr("playhead.store.rollup.SWEEP_REST_S", -10)
    make(store)
    found = store.client.rows("SELECT countIf(made = 7), count() > 0 FROM playhead.view_rollup")
    assert (waits, found.rows) == ([[1]], [[0, 1]])


async def test_a_damaged_rollup_is_made_again(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, plain_day(3))
    made = [make(store), make(store)]
    add_row(store, "made")
    made += [make(store), make(store)]
    assert ([len(one) for one in made], await views_of(apps[0])) == ([1, 0, 1, 0], 1)


async def test_a_percentile_lies_within_the_error_the_answer_states(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    draw = random.Random(5)
    numbers = sorted(draw.lognormvariate(7, 2) for _ in range(3_000))
    insert_views(store, *(plain_day(draw.randrange(6), startup_ms=one) for one in numbers))
    make(store)
    for level in (5, 50, 90, 99):
        values: dict[str, Any] = {"from_": START_MS, "to": NOW_MS, "measurement": f"p{level}"}
        answer = (await apps[0].get("/v1/metrics/startup_time/overall", **values)).json()
        error = answer["meta"]["relative_error"]
        rank = (len(numbers) - 1) * level // 100
        low, high = numbers[rank - 1] * (1 - error), numbers[rank + 1] * (1 + error)
        assert 0 < error <= 0.01
        assert low <= answer["data"]["value"] <= high


async def test_a_percentile_of_views_alone_is_exact(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, *(plain_day(3, startup_ms=one) for one in (100.0, 200.0, 400.0)))
    values: dict[str, Any] = {"from_": START_MS, "to": NOW_MS}
    answer = (await apps[0].get("/v1/metrics/startup_time/overall", **values)).json()
    assert answer["data"]["value"] == 200
    assert "relative_error" not in answer["meta"]


async def test_a_dimension_with_too_many_values_is_read_from_the_views(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, *(plain_day(3, cdn=f"c{n}", country="DE") for n in range(20)))
    rollups(store, values_max=10).make(TODAY, days_max=9)
    add_row(store, "made")
    values = {"from_": START_MS, "to": NOW_MS, "limit": 100}
    rows = await apps[0].data("/v1/metrics/views/breakdown", group_by="cdn", **values)
    found = store.client.rows("SELECT dimensions FROM playhead.view_rollup_state").rows[0][0]
    assert (len(rows), "cdn" in found, "country" in found) == (20, False, True)


async def test_a_bound_token_sees_its_property_of_a_rollup(
    store: RunningStore, apps: tuple[Answering, Answering]
) -> None:
    insert_views(store, plain_day(3, property="one"), plain_day(3, property="two"))
    make(store)
    add_row(store, "made")
    token = apps[0].token("read", "one")
    response = await apps[0].get(
        "/v1/metrics/views/overall", token=token, from_=START_MS, to=NOW_MS
    )
    assert (response.json()["data"]["views"], await views_of(apps[0])) == (1, 1002)


def make_until_killed(store: RunningStore) -> None:
    with contextlib.suppress(PlayheadError):
        make(store)


def wait_for_a_making(store: RunningStore) -> None:
    while not store.client.rows("SELECT count() FROM playhead.view_rollup_state").rows[0][0]:
        time.sleep(0.01)


async def test_a_store_killed_while_sums_are_made_answers_as_before(tmp_path: Path) -> None:
    with running_store(tmp_path / "data") as first:
        insert_views(first, *(plain_day(day) for day in range(DAYS)))
        maker = threading.Thread(target=make_until_killed, args=(first,))
        maker.start()
        wait_for_a_making(first)
        first.process.kill()  # its client stays open: the maker is using it
        maker.join()
    with running_store(tmp_path / "data") as second:
        app = Answering(second, tmp_path, use_rollups=True)
        before = await views_of(app)
        make(second)
        assert (before, await views_of(app)) == (DAYS, DAYS)
        await closed(app)
