"""Sums of weeks over a real store: they stand for those of their days, while these count."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from playhead.store.week_rollup import WeekRollups
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.rolled import DAY_MS, HOUR_MS, apps, make, random_view, same, store
from support.running_store import RunningStore

__all__ = ["apps", "store"]
WEEK_MS = 7 * DAY_MS
MONDAY_MS = (NOW_MS - 4 * DAY_MS) // WEEK_MS * WEEK_MS + 4 * DAY_MS - WEEK_MS
"""The beginning of the last week that is over."""
SPAN = {"from_": MONDAY_MS - DAY_MS, "to": NOW_MS}
Apps = tuple[Answering, Answering]


@pytest.fixture(autouse=True)
def weeks_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playhead.query.rollup.LONG_DAYS", 0)


def view_of(day: int, **given: Any) -> dict[str, Any]:
    start = MONDAY_MS + day * DAY_MS + 9 * HOUR_MS
    return view_row(started_at=start, ended_at=start + 60_000, **given)


def weeks(store: RunningStore) -> list[list[Any]]:
    """Return (Monday, how many makings it is of) of every week."""
    return store.client.rows(
        "SELECT toString(first_day), length(of) FROM playhead.view_rollup_week FINAL ORDER BY 1"
    ).rows


def iso_day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def add_views(store: RunningStore, views: int) -> None:
    """Put views that never were into the sums of the week by country."""
    columns = store.client.rows(
        "SELECT name FROM system.columns WHERE table = 'view_rollup' AND name LIKE 'n\\_%'"
        " AND database = 'playhead'"
    ).rows
    names = [name for (name,) in columns]
    store.client.command(
        "INSERT INTO playhead.view_rollup (first_seen_day, made, moment, hours, dimension, since,"
        f" value, property, bot, internal, {', '.join(names)}) SELECT first_day, made, 'start', 168,"
        f" 'country', first_day, 'DE', 'default', false, false{f', {views}' * len(names)}"
        " FROM playhead.view_rollup_week FINAL"
    )


async def views_of(app: Answering, **span: int) -> Any:
    rows = await app.data("/v1/metrics/views/breakdown", group_by="country", **(SPAN | span))
    return sum(row["views"] for row in rows)


async def test_a_week_stands_for_its_days_where_it_is_asked_for_as_a_whole(
    store: RunningStore, apps: Apps
) -> None:
    insert_views(store, *(view_of(day, country="DE") for day in range(7)))
    make(store)
    add_views(store, 1000)
    assert weeks(store) == [[iso_day(MONDAY_MS), 7]]
    assert [
        await views_of(apps[0]),
        await views_of(apps[0], from_=MONDAY_MS + DAY_MS),
        await views_of(apps[0], from_=MONDAY_MS, to=MONDAY_MS + WEEK_MS - 1),
    ] == [1007, 6, 7]


async def test_a_week_ends_with_the_first_of_its_days_and_is_made_again_with_it(
    store: RunningStore, apps: Apps
) -> None:
    insert_views(store, *(view_of(day, country="DE") for day in range(7)))
    make(store)
    add_views(store, 1000)
    insert_views(store, view_of(3, country="DE"))
    assert await views_of(apps[0]) == 8
    assert (len(make(store)), await views_of(apps[0])) == (1, 8)
    add_views(store, 1000)
    assert (weeks(store), await views_of(apps[0])) == ([[iso_day(MONDAY_MS), 7]], 1008)


async def test_a_damaged_week_is_made_again(store: RunningStore, apps: Apps) -> None:
    insert_views(store, *(view_of(day, country="DE") for day in range(3)))
    make(store)
    add_views(store, 1000)
    assert (make(store), await views_of(apps[0])) == ([], 3)
    made = store.client.rows("SELECT made FROM playhead.view_rollup_week FINAL").rows
    assert (make(store), made) == (
        [],
        store.client.rows("SELECT made FROM playhead.view_rollup_week FINAL").rows,
    )


async def test_days_that_came_to_a_week_are_read_beside_it(
    store: RunningStore, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Dimensions by themselves, and the values of the largest in parts.
    monkeypatch.setattr("playhead.store.week_rollup.ROWS_PER_STATEMENT", 120)
    draw = random.Random(2)
    drawn = [random_view(draw) for _ in range(600)]
    views = [one for one in drawn if one["first_seen_day"] >= iso_day(MONDAY_MS - DAY_MS)]
    gone = iso_day(MONDAY_MS + 2 * DAY_MS)
    insert_views(store, *(one for one in views if one["first_seen_day"] != gone))
    make(store)
    before = weeks(store)
    insert_views(store, *(one for one in views if one["first_seen_day"] == gone))
    monkeypatch.setattr(WeekRollups, "make", lambda *_, **__: [])
    assert (make(store), weeks(store)) == ([gone], before)
    assert [iso_day(MONDAY_MS), 6] in before
    for metric in ("views", "watch_time", "unique_viewers", "rebuffer_percentage", "score"):
        for group in ("country", "cdn", "autoplay"):
            path = f"/v1/metrics/{metric}/breakdown"
            for start in (SPAN["from_"], MONDAY_MS - 4 * DAY_MS, MONDAY_MS + DAY_MS):
                asked = SPAN | {"from_": start, "group_by": group}
                quick, plain = [await app.data(path, **asked) for app in apps]
                assert same(quick, plain), (path, asked)


async def test_a_week_with_one_day_and_one_that_is_not_over_have_no_sums_of_their_own(
    store: RunningStore, apps: Apps
) -> None:
    insert_views(store, view_of(0), view_of(7), view_of(8))
    make(store)
    assert (weeks(store), await views_of(apps[0], to=MONDAY_MS + WEEK_MS)) == ([], 1)
