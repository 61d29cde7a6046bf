"""Sums of weeks and of four over a real store: they stand for those of their days, while these count."""

import random
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from playhead.query.rolled_rows import Cut, Rows, Sums
from playhead.store.long_rollup import LongRollups
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.rolled import DAY_MS, HOUR_MS, TODAY, apps, make, random_view, rollups, same, store
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


async def test_four_weeks_that_end_with_yesterday_answer_for_a_month(
    store: RunningStore, apps: Apps
) -> None:
    today_ms = NOW_MS // DAY_MS * DAY_MS
    insert_views(
        store,
        *(
            view_row(started_at=at, ended_at=at + 60_000, country="DE")
            for at in (today_ms - days * DAY_MS + HOUR_MS for days in (1, 5, 28, 29))
        ),
    )
    make(store)
    add_views(store, 1000, hours=0)
    assert fours(store) == [[iso_day(today_ms - DAY_MS), 3]]
    every = [
        await views_of(apps[0], from_=today_ms - days * DAY_MS, to=to_ms)
        for days, to_ms in ((29, today_ms), (29, NOW_MS), (28, today_ms - 1), (27, today_ms))
    ]
    assert every == [1004, 1004, 3, 2]


async def test_of_the_four_weeks_that_end_anywhere_those_of_three_days_are_kept(
    store: RunningStore, apps: Apps
) -> None:
    insert_views(store, *(view_of(day, country="DE") for day in range(-6, 0)))
    for days in range(5, -1, -1):
        rollups(store).make(TODAY - timedelta(days=days), days_max=100)
    newest = [iso_day(NOW_MS - days * DAY_MS) for days in (3, 2, 1)]
    assert [day for day, _ in fours(store)] == newest
    # The newest changes with its days; nothing of it is made again while they wait.
    insert_views(store, view_of(-2, country="DE"))
    assert rollups(store, settled=True).make(TODAY, days_max=100) == []
    assert await views_of(apps[0], from_=MONDAY_MS - 40 * DAY_MS) == 7


async def test_a_year_is_read_by_four_weeks_and_says_what_the_views_say(
    store: RunningStore, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(5)
    firsts = [NOW_MS - draw.randrange(1, 360 * 24) * HOUR_MS for _ in range(300)]
    drawn = [random_view(draw) for _ in firsts]
    for view, at in zip(drawn, firsts, strict=True):
        view |= {"started_at": at, "ended_at": at + draw.randrange(20) * HOUR_MS}
        view["first_seen_day"] = iso_day(min(NOW_MS, at + draw.choice([0, 0, 3]) * DAY_MS))
    insert_views(store, *drawn)
    rollups(store).make(TODAY, days_max=400)
    read: list[Any] = []
    rows = Sums.rows

    def noted(sums: Sums, cut: Cut) -> tuple[Rows, ...]:
        read.append(rows(sums, cut))
        return rows(sums, cut)

    monkeypatch.setattr(Sums, "rows", noted)
    whole, cut = (NOW_MS, {0}), (NOW_MS - 9 * DAY_MS, {0, 168, 24})
    for metric, (to_ms, hours) in product(
        ("views", "watch_time", "unique_viewers", "score"), (whole, cut)
    ):
        asked = {"from_": NOW_MS - 370 * DAY_MS, "to": to_ms, "group_by": "country"}
        quick, plain = [await app.data(f"/v1/metrics/{metric}/breakdown", **asked) for app in apps]
        assert same(quick, plain), metric
        assert {rows.hours for rows in read[-1]} >= hours
