"""What is merged over days and groups lies within the error that is stated.

That of percentiles is a bound, and the answer states it. That of different ids is a standard error:
0.0115 with 13 bits; none up to 256 ids.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from playhead.query.catalogue import RELATIVE_ERROR, catalogue
from playhead.query.pieces import layout_of
from playhead.query.report_measures import rank_sql
from playhead.query.span import iso
from playhead.store.rollup import Rollups
from support.answering import NOW_MS, answering, insert_views, view_row
from support.api_fixtures import store
from support.door_rows import insert_requests
from support.running_store import RunningStore

__all__ = ["store"]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = NOW_MS // DAY_MS * DAY_MS - 6 * DAY_MS
SPAN = {"from_": START_MS, "to": NOW_MS}
IDS_EXACT = 256
IDS_ERROR = 3 * 1.04 / 2**6.5
DRAWN: dict[str, Callable[[random.Random], float]] = {
    "wide": lambda chance: chance.lognormvariate(7, 3),
    "narrow": lambda chance: chance.gauss(2_000, 20),
    "mixed": lambda chance: chance.choice([0.0, 0.001, 1.0, 1.0, 900.0, chance.random() * 1e9]),
    "few": lambda chance: chance.choice([100.0, 100.5, 9_000.0]),
}
"""How the values of a country are spread."""
View = dict[str, Any]


def some_views(chance: random.Random) -> list[View]:
    """Views of six closed days and today, by country and CDN; each country spread in its own way."""
    found = []
    for _ in range(4_000):
        at, country = START_MS + chance.randrange(NOW_MS - START_MS), chance.choice(list(DRAWN))
        found.append(view_row(
            started_at=at, ended_at=at, country=country, startup_ms=DRAWN[country](chance),
            cdn=chance.choices("abcd", (70, 20, 9, 1))[0],
        ))  # fmt: skip
    return found


def make_rollups(store: RunningStore) -> None:
    today = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
    for table in ("view_rollup", "view_rollup_state", "view_rollup_long"):
        store.client.command(f"TRUNCATE TABLE playhead.{table}")
    layout = layout_of(catalogue())
    made = Rollups(store.client, layout, values_max=1_000, settled=False).make(today, days_max=9)
    assert len([day for day in made if "/" not in day]) == 6


def is_within(told: float, values: list[float], level: int, error: float) -> bool:
    """Say whether a percentile lies between the values beside its rank, give or take the error."""
    ranked, rank = sorted(values), (len(values) - 1) * level // 100
    low, high = ranked[max(0, rank - 1)], ranked[min(len(ranked) - 1, rank + 2)]
    return low * (1 - error) <= told <= high * (1 + error)


def day_and_series(view: View) -> tuple[str, str]:
    return iso(view["started_at"] // DAY_MS * DAY_MS), "a" if view["cdn"] == "a" else "other"


QUESTIONS: list[tuple[str, dict[str, Any], Callable[[View], Any], Callable[[View], Any]]] = [
    ("overall", {}, lambda _view: "all", lambda _row: "all"),
    ("breakdown", {"group_by": "country"}, itemgetter("country"), itemgetter("group")),
    ("breakdown", {"group_by": "cdn"}, itemgetter("cdn"), itemgetter("group")),
    ("timeseries", {"group_by": "cdn", "limit": 1, "interval": "1d"}, day_and_series,
     itemgetter("time", "group")),
]  # fmt: skip
"""What is asked, the group of a view, and the group of a row of the answer."""


@pytest.mark.parametrize("seed", range(2))
async def test_a_percentile_of_merged_sketches_is_within_its_error(
    store: RunningStore, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    async with answering(store, tmp_path) as api:
        views = some_views(chance)
        insert_views(store, *views)
        make_rollups(store)
        # From now on this day is read from its views, beside the sketches of the others.
        views.append(view_row(started_at=START_MS, country="few", cdn="d", startup_ms=5e5))
        insert_views(store, views[-1])
        for form, asked, of_view, of_row in QUESTIONS:
            groups: dict[Any, list[float]] = {}
            for view in views:
                groups.setdefault(of_view(view), []).append(view["startup_ms"])
            for level in (1, 50, 95, 99):
                path, values = f"/v1/metrics/startup_time/{form}", SPAN | asked
                said = (await api.get(path, measurement=f"p{level}", **values)).json()
                rows = said["data"] if isinstance(said["data"], list) else [said["data"]]
                assert said["meta"]["relative_error"] == RELATIVE_ERROR
                assert {of_row(row): row["views"] for row in rows} == {
                    group: len(known) for group, known in groups.items()
                }
                assert not [
                    (level, row) for row in rows
                    if not is_within(row["value"], groups[of_row(row)], level, RELATIVE_ERROR)
                ]  # fmt: skip


def some_viewers(chance: random.Random) -> list[View]:
    """Views of six closed days by countries that differ in how many viewers they have."""
    found = []
    for country, viewers in (("few", 250), ("some", 600), ("many", 6_000)):
        for number in range(max(800, viewers)):
            at = START_MS + chance.randrange(5 * DAY_MS)
            viewer = (
                f"{country}{chance.randrange(viewers)}"
                if number >= viewers
                else f"{country}{number}"
            )
            found.append(view_row(
                started_at=at, ended_at=at, country=country, viewer_id=viewer, cdn=chance.choice("ab"),
            ))  # fmt: skip
    # The sixth day, so that as many are made as of the others.
    found.append(found[0] | {"view_id": "again", "first_seen_day": iso(START_MS + 5 * DAY_MS)[:10]})
    return found


async def test_different_viewers_are_told_within_their_error(
    store: RunningStore, tmp_path: Path
) -> None:
    async with answering(store, tmp_path) as api:
        store.client.command("TRUNCATE TABLE playhead.views")
        views = some_viewers(random.Random(1))
        insert_views(store, *views)
        make_rollups(store)
        for dimension in ("country", "cdn"):
            groups: dict[str, set[str]] = {}
            for view in views:
                groups.setdefault(view[dimension], set()).add(view["viewer_id"])
            rows = await api.data(
                "/v1/metrics/unique_viewers/breakdown", group_by=dimension, **SPAN
            )
            told = {row["group"]: row["value"] for row in rows}
            assert told.keys() == groups.keys()
            for group, known in groups.items():
                error = IDS_ERROR if len(known) > IDS_EXACT else 0
                assert abs(told[group] - len(known)) <= error * len(known), (group, told[group])


@pytest.mark.parametrize("least", [1e-6, 1e-3, 0.1])
async def test_percentiles_of_numbers_below_one_are_within_their_error(
    store: RunningStore, tmp_path: Path, least: float
) -> None:
    chance = random.Random(7)
    times = sorted(least * 10 ** chance.random() for _ in range(2_001))
    exact = pytest.approx(times[1_000], rel=RELATIVE_ERROR)
    async with answering(store, tmp_path) as api:
        store.client.command("TRUNCATE TABLE playhead.cdn_requests")
        insert_requests(store, *({"ttfb_ms": ms} for ms in times))
        path = "/v1/metrics/cdn_ttfb"
        metric = await api.data(f"{path}/overall", measurement="median")
        histogram = (await api.get(f"{path}/histogram")).json()["meta"]["summaries"]
    report = rank_sql("ttfb_ms", "median", exact=False)
    found = store.client.rows(f"SELECT {report} FROM playhead.cdn_requests").rows
    assert (metric["value"], histogram[0]["p50"], found[0][0]) == (exact, exact, exact)
