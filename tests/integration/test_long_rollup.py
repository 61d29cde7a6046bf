"""Sums of weeks and of four over a real store: they stand for those of their days, while these count."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from playhead.model.rollup import FIRST_MONDAY, FOUR_WEEKS
from playhead.query.rolled_rows import Cut, Rows, Sums
from playhead.store.long_rollup import NEWEST_KEPT, LongRollups
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.rolled import DAY_MS, HOUR_MS, TODAY, apps, make, random_view, rollups, same, store
from support.running_store import RunningStore

__all__ = ["apps", "store"]
WEEK_MS = 7 * DAY_MS
MONDAY_MS = (NOW_MS - 4 * DAY_MS) // WEEK_MS * WEEK_MS + 4 * DAY_MS - WEEK_MS
"""The beginning of the last week that is over."""
_PAST = (NOW_MS // DAY_MS - FIRST_MONDAY) % FOUR_WEEKS
END = TODAY - timedelta(days=_PAST + 1 if _PAST < NEWEST_KEPT else 0)
"""Neither four weeks that end with it nor with one of the two days before are among the regular ones."""
END_MS = (END - date(1970, 1, 1)).days * DAY_MS
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
        "SELECT toString(first_day), length(of) FROM playhead.view_rollup_long FINAL WHERE days = 7 ORDER BY 1"
    ).rows


def iso_day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def add_views(store: RunningStore, views: int, *, hours: int = 168) -> None:
    """Put views that never were into long sums by country."""
    columns = store.client.rows(
        "SELECT name FROM system.columns WHERE table = 'view_rollup' AND name LIKE 'n\\_%'"
        " AND database = 'playhead'"
    ).rows
    names = [name for (name,) in columns]
    store.client.command(
        "INSERT INTO playhead.view_rollup (first_seen_day, made, moment, hours, dimension, since,"
        f" value, property, bot, internal, {', '.join(names)}) SELECT first_day, made, 'start',"
        f" {hours}, 'country', first_day, 'DE', 'default', false, false{f', {views}' * len(names)}"
        f" FROM playhead.view_rollup_long FINAL WHERE days = {7 if hours else 28}"
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
    made = rollups(store).make(TODAY, days_max=100)
    assert made[0] == iso_day(MONDAY_MS + 3 * DAY_MS)
    assert f"{iso_day(MONDAY_MS)}/P7D" in made
    assert await views_of(apps[0]) == 8
    add_views(store, 1000)
    assert (weeks(store), await views_of(apps[0])) == ([[iso_day(MONDAY_MS), 7]], 1008)


async def test_a_damaged_week_is_made_again(store: RunningStore, apps: Apps) -> None:
    insert_views(store, *(view_of(day, country="DE") for day in range(3)))
    make(store)
    add_views(store, 1000)
    again = rollups(store).make(TODAY, days_max=100)
    assert (again, await views_of(apps[0])) == ([f"{iso_day(MONDAY_MS)}/P7D"], 3)
    made = store.client.rows("SELECT made FROM playhead.view_rollup_long FINAL").rows
    assert (make(store), made) == (
        [],
        store.client.rows("SELECT made FROM playhead.view_rollup_long FINAL").rows,
    )


async def test_days_that_came_to_a_week_are_read_beside_it(
    store: RunningStore, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Dimensions by themselves, and the values of the largest in parts.
    monkeypatch.setattr("playhead.store.long_rollup.ROWS_PER_STATEMENT", 120)
    draw = random.Random(2)
    drawn = [random_view(draw) for _ in range(600)]
    views = [one for one in drawn if one["first_seen_day"] >= iso_day(MONDAY_MS - DAY_MS)]
    gone = iso_day(MONDAY_MS + 2 * DAY_MS)
    insert_views(store, *(one for one in views if one["first_seen_day"] != gone))
    make(store)
    before = weeks(store)
    insert_views(store, *(one for one in views if one["first_seen_day"] == gone))
    monkeypatch.setattr(LongRollups, "make", lambda *_, **__: [])
    assert (make(store), weeks(store)) == ([gone], before)
    assert [iso_day(MONDAY_MS), 6] in before
    for metric in ("views", "watch_time", "unique_viewers", "rebuffer_percentage", "score"):
        for group in ("country", "cdn", "autoplay"):
            path = f"/v1/metrics/{metric}/breakdown"
            for start in (SPAN["from_"], MONDAY_MS - 40 * DAY_MS, MONDAY_MS + DAY_MS):
                asked = SPAN | {"from_": start, "group_by": group}
                quick, plain = [await app.data(path, **asked) for app in apps]
                assert same(quick, plain), (path, asked)


async def test_a_week_with_one_day_and_one_that_is_not_over_have_no_sums_of_their_own(
    store: RunningStore, apps: Apps
) -> None:
    insert_views(store, view_of(0), view_of(7), view_of(8))
    make(store)
    assert (weeks(store), await views_of(apps[0], to=MONDAY_MS + WEEK_MS)) == ([], 1)


def fours(store: RunningStore) -> list[list[Any]]:
    """Return (last day, how many makings it is of) of the four weeks that end anywhere."""
    return store.client.rows(
        "SELECT toString(first_day + 27), length(of) FROM playhead.view_rollup_long FINAL"
        " WHERE slot < 3 ORDER BY 1"
    ).rows


async def test_four_weeks_that_end_anywhere_answer_for_a_month(
    store: RunningStore, apps: Apps
) -> None:
    starts = [END_MS - days * DAY_MS + HOUR_MS for days in (1, 5, 28, 29)]
    insert_views(
        store, *(view_row(started_at=at, ended_at=at + 60_000, country="DE") for at in starts)
    )
    rollups(store).make(END, days_max=100)
    add_views(store, 1000, hours=0)
    assert fours(store)[-1] == [iso_day(END_MS - DAY_MS), 3]
    every = [
        await views_of(apps[0], from_=END_MS - days * DAY_MS, to=to_ms)
        for days, to_ms in ((29, END_MS), (29, NOW_MS), (28, END_MS - 1), (27, END_MS))
    ]
    assert every == [1004, 1004, 3, 2]


async def test_of_the_four_weeks_that_end_anywhere_those_of_three_days_are_kept(
    store: RunningStore, apps: Apps
) -> None:
    insert_views(store, *(view_of(day, country="DE") for day in range(-6, 0)))
    for days in range(5, -1, -1):
        rollups(store).make(END - timedelta(days=days), days_max=100)
    newest = [iso_day(END_MS - days * DAY_MS) for days in (3, 2, 1)]
    assert [day for day, _ in fours(store)] == newest
    # The newest changes with its days; nothing of it is made again while they wait.
    insert_views(store, view_of(-2, country="DE"))
    assert rollups(store, settled=True).make(END, days_max=100) == []
    assert await views_of(apps[0], from_=MONDAY_MS - 40 * DAY_MS) == 7


async def test_damaged_sums_are_made_again_wherever_they_end_and_no_sum_is_swept(
    store: RunningStore, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_views(store, *(view_of(day, country="DE") for day in range(-6, 0)))
    for days in (1, 0):
        rollups(store).make(END - timedelta(days=days), days_max=100)
    kept = store.client.rows("SELECT made FROM playhead.view_rollup_long FINAL ORDER BY made").rows
    monkeypatch.setattr("playhead.store.rollup.SWEEP_AFTER_S", -10)
    monkeypatch.setattr("playhead.store.rollup.SWEEP_REST_S", -10)
    monkeypatch.setattr("playhead.store.rollup.SWEEP_PERCENT", 0)
    add_row = "INSERT INTO playhead.view_rollup (first_seen_day, made, hours)"
    store.client.command(f"{add_row} SELECT '{END}', 7, 24")
    assert rollups(store).make(END, days_max=100) == []
    rows = store.client.rows(
        "SELECT DISTINCT made FROM playhead.view_rollup WHERE hours != 24"
    ).rows
    assert [one for one in kept if one not in rows] == []
    # The one of the day before, which a later one stands beside.
    older = (
        f"FROM playhead.view_rollup_long FINAL WHERE slot = {(END_MS // DAY_MS - 1) % NEWEST_KEPT}"
    )
    store.client.command(f"{add_row} SELECT first_day + 27, made, 0 {older}")
    again = rollups(store).make(END, days_max=100)
    assert again == [f"{END - timedelta(days=29)}/P28D"]
    assert rollups(store).make(END, days_max=100) == []


async def test_a_year_is_read_by_four_weeks_and_says_what_the_views_say(
    store: RunningStore, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(5)
    drawn = [random_view(draw) for _ in range(300)]
    for view in drawn:
        # Some of the views first seen within the newest four weeks began before them.
        days = draw.choice([1, 9, 27, 28, 29, 57, 58, 120, 121, 200])
        at = END_MS - days * DAY_MS + draw.randrange(24) * HOUR_MS
        view |= {"started_at": at, "ended_at": at + draw.randrange(30) * HOUR_MS}
        view["first_seen_day"] = iso_day(min(END_MS - 1, at + draw.choice([0, 0, 1]) * DAY_MS))
    insert_views(store, *drawn)
    rollups(store).make(END, days_max=400)
    read: list[Any] = []
    rows = Sums.rows

    def noted(sums: Sums, cut: Cut) -> tuple[Rows, ...]:
        read.append(rows(sums, cut))
        return rows(sums, cut)

    monkeypatch.setattr(Sums, "rows", noted)
    ends = (NOW_MS, END_MS - 9 * DAY_MS)
    for metric, to_ms in product(("views", "watch_time", "unique_viewers", "score"), ends):
        asked = {"from_": END_MS - 370 * DAY_MS, "to": to_ms, "group_by": "country"}
        quick, plain = [await app.data(f"/v1/metrics/{metric}/breakdown", **asked) for app in apps]
        assert same(quick, plain), (metric, to_ms)
        assert 0 in {rows.hours for rows in read[-1]}
