"""Rollups over a real store: the same numbers with and without, whatever is asked and amended."""

import contextlib
import math
import random
import threading
import time
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from playhead.errors import PlayheadError
from playhead.query.catalogue import catalogue
from playhead.query.pieces import layout_of, taken
from playhead.store.rollup import Rollups
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.running_store import RunningStore, running_store

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DAYS = 7
TODAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
START_MS = NOW_MS // DAY_MS * DAY_MS - DAYS * DAY_MS
COUNTRIES = ("DE", "FR", "", "US")
SUMMED = [
    (metric.id, measurement)
    for metric in catalogue().metrics.values()
    for measurement in metric.allowed()
    if (found := taken(metric, measurement)) is not None and not found.relative_error
]


def random_view(draw: random.Random) -> dict[str, Any]:
    start = START_MS + draw.randrange(DAYS * DAY_MS + NOW_MS % DAY_MS)
    length = draw.randrange(20 * HOUR_MS)
    seen = start + draw.choice([0, 0, 0, draw.randrange(3 * DAY_MS)])
    started = draw.random() < 0.9
    return view_row(
        view_id=f"v{draw.randrange(10**9)}", started_at=start, ended_at=start + length,
        first_seen_day=datetime.fromtimestamp(min(seen, NOW_MS) / 1000, UTC).date().isoformat(),
        property=draw.choice(["one", "two"]), country=draw.choice(COUNTRIES),
        cdn=draw.choice(["a", "b", "c"]), asn=draw.choice([0, 3320]),
        autoplay=draw.choice([None, True, False]), bot=draw.random() < 0.1,
        internal=draw.random() < 0.1, viewer_id=draw.choice(["", *(f"u{n}" for n in range(90))]),
        startup_ms=float(draw.randrange(1, 9_000)) if started else None,
        exit_before_start=not started, watch_ms=float(draw.choice([0, draw.randrange(10**6)])),
        playing_ms=float(draw.randrange(10**6)), rebuffer_ms=float(draw.randrange(10**4)),
        rebuffer_count=draw.randrange(4), seek_count=draw.randrange(3), seek_ms=900.0,
        bitrate_kbps=draw.choice([None, 900.0, 4_000.0]), bitrate_weight_ms=1_000.0,
        dropped_frames=draw.choice([None, 3.0]), decoded_frames=draw.choice([None, 900.0]),
        score=draw.choice([None, 50.0, 75.5]), errors=draw.randrange(3),
    )  # fmt: skip


def random_question(draw: random.Random) -> tuple[str, dict[str, Any]]:
    metric, measurement = draw.choice(SUMMED)
    form = draw.choice(["overall", "breakdown", "timeseries"])
    grain = draw.choice([1, HOUR_MS, DAY_MS])
    first = START_MS - DAY_MS + draw.randrange((DAYS + 1) * DAY_MS) // grain * grain
    last = min(NOW_MS, first + grain * (1 + draw.randrange((DAYS + 1) * DAY_MS) // grain))
    values: dict[str, Any] = {"measurement": measurement, "from_": first, "to": last}
    group = draw.choice(["country", "cdn", "asn", "autoplay", "property", "bot"])
    if form == "breakdown" or (form == "timeseries" and draw.random() < 0.5):
        values |= {"group_by": group, "limit": draw.choice([2, 20])}
    filters = [
        one
        for one in ("country:DE", "!country:DE", "country~e", "property:one", "bot:true", "cdn:a")
        if draw.random() < 0.15
    ]
    if filters:
        values["filters"] = filters
    if form == "timeseries":
        values["interval"] = draw.choice(["1h", "1d"])
        values["timezone"] = draw.choice(["UTC", "Europe/Berlin", "Asia/Kolkata"])
    return f"/v1/metrics/{metric}/{form}", values


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningStore, None, None]:
    with running_store(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
async def apps(
    store: RunningStore, tmp_path: Path
) -> AsyncGenerator[tuple[Answering, Answering], None]:
    """Two apps over one store: one reads rollups, the other does not."""
    for table in ("views", "view_rollup", "view_rollup_state"):
        store.client.command(f"TRUNCATE TABLE playhead.{table}")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    both = [
        Answering(store, tmp_path / folder, use_rollups=use)
        for use, folder in ((True, "a"), (False, "b"))
    ]
    yield both[0], both[1]
    for app in both:
        await closed(app)


async def closed(app: Answering) -> None:
    await app.http.aclose()
    await app.store.close()
    app.tokens.close()
    app.ledger.close()


def rollups(store: RunningStore, *, settled: bool = False, values_max: int = 1_000) -> Rollups:
    layout = layout_of(catalogue())
    return Rollups(store.client, layout, values_max=values_max, settled=settled)


def make(store: RunningStore) -> list[str]:
    return rollups(store).make(TODAY, days_max=100)


def same(left: Any, right: Any) -> bool:
    """Compare answers: counts and sums of whole numbers exactly, quotients to the last digits."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, int | float):
        return left == right or (not left.is_integer() and math.isclose(left, right, rel_tol=1e-12))
    return bool(left == right)


@pytest.mark.parametrize("seed", range(2))
async def test_sums_are_the_same_from_rollups_and_from_views(
    store: RunningStore, apps: tuple[Answering, Answering], seed: int
) -> None:
    draw = random.Random(seed)
    views = [random_view(draw) for _ in range(800)]
    insert_views(store, *views[:600])
    make(store)
    amended = [one | {"watch_ms": 5.0, "version": one["version"] + 1} for one in views[:30]]
    insert_views(store, *amended[: seed * 30], *views[600 : 600 + seed * 200])
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
    assert made == [[days[0]], [days[1]], []]


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
    found = store.client.rows("SELECT countIf(made = 7), count() > 0 FROM playhead.view_rollup")
    assert found.rows == [[0, 1]]


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
