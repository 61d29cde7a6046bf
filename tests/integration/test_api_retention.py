"""Views in, the curve of a title out."""

from typing import Any

import pytest

from support.answering import NOW_MS, Answering, answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore
from support.watching import START, watching

__all__ = ["api", "store"]
PATH = "/v1/retention/film"


async def summary(api: Answering, **asked: Any) -> dict[str, Any]:
    response = await api.get(PATH, **asked)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["meta"]["retention"]
    return found


async def test_a_second_counts_whoever_watched_any_of_it(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, watching((0, 2.25)), watching((0, 4)))
    rows = await api.data(PATH)
    assert [row["views"] for row in rows[:5]] == [2, 2, 2, 1, 0]
    assert [row["audience_watch_ratio"] for row in rows[:5]] == [1, 1, 0.625, 0.5, 0]


async def test_the_first_second_holds_who_started(api: Answering, store: RunningStore) -> None:
    refused = view_row(video_id="film", startup_failed=True, intervals=[])
    insert_views(store, watching((0, 10)), watching((0, 5)), refused)
    rows = await api.data(PATH)
    assert (rows[0]["absolute"], rows[7]["absolute"]) == (1, 0.5)
    assert [row["stopped_watching"] for row in rows if row["stopped_watching"]] == [1, 1]


async def test_a_part_watched_again_counts_again(api: Answering, store: RunningStore) -> None:
    insert_views(store, watching((0, 10), (2, 4.5), (3, 4)), watching((0, 10)))
    rows = await api.data(PATH)
    assert [row["rewatches"] for row in rows[1:6]] == [0, 1, 2, 0.5, 0]
    assert [row["audience_watch_ratio"] for row in rows[1:6]] == [1, 1.5, 2, 1.25, 1]


async def test_a_jump_within_an_interval_is_not_watched_again(
    api: Answering, store: RunningStore
) -> None:
    row = watching((0, 10), (20, 30), (25, 30))
    row["interval_position_to_s"][0] = 28.0  # nobody said that the player jumped
    insert_views(store, row)
    rows = await api.data(PATH)
    assert sum(one["rewatches"] for one in rows) == 5
    assert [one["rewatches"] for one in rows[24:26]] == [0, 1]


async def test_a_way_that_was_not_played_is_not_watched_again(
    api: Answering, store: RunningStore
) -> None:
    row = watching((0, 10), (5, 8), (8, 20))
    row["interval_position_from_s"][5] = 2.0  # a seek that goes forward
    insert_views(store, row)
    rows = await api.data(PATH)
    assert [one["rewatches"] for one in rows[1:6]] == [0, 0, 0, 0, 1]
    assert sum(one["rewatches"] for one in rows) == 5


async def test_a_skip_is_seen_as_who_stops_and_who_starts(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, watching((0, 3), (6, 8)))
    rows = await api.data(PATH)
    assert [row["views"] for row in rows[:9]] == [1, 1, 1, 0, 0, 0, 1, 1, 0]
    assert (rows[2]["stopped_watching"], rows[6]["started_watching"]) == (1, 1)


async def test_a_pause_within_a_second_is_one_stay(api: Answering, store: RunningStore) -> None:
    insert_views(store, watching((0, 3.2), (3.6, 8)))
    rows = await api.data(PATH)
    assert [row["views"] for row in rows[:9]] == [1] * 8 + [0]
    assert sum(row["started_watching"] for row in rows) == 1


async def test_views_that_told_no_position_are_left_out_and_counted(
    api: Answering, store: RunningStore
) -> None:
    silent = view_row(video_id="film", playing_ms=60_000.0, startup_ms=1.0, content_startup_ms=1.0)
    insert_views(store, watching((0, 10)), silent)
    found = await summary(api)
    assert (found["base_views"], found["unknown_position_views"]) == (1, 1)
    assert (await api.data(PATH))[0]["absolute"] == 1


async def test_the_numbers_of_the_whole(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        watching((0, 100)),
        watching((0, 96)),
        watching((0, 40), (10, 20)),
        watching((0, 10)),
    )
    found = await summary(api)
    assert (found["intro_retention"], found["completion_rate"]) == (0.75, 0.5)
    assert (found["content_played_s"], found["rewatched_s"]) == (256, 10)
    assert found["average_percentage_viewed"] == pytest.approx(64)
    assert found["average_view_duration_s"] == 64


async def test_ads_do_not_move_the_content(api: Answering, store: RunningStore) -> None:
    row = watching((0, 10), (10, 20))
    row["interval_state"][1] = "ad"
    insert_views(store, row)
    rows = await api.data(PATH)
    assert [one["audience_watch_ratio"] for one in rows[:21]] == [1] * 20 + [0]


async def test_points_are_as_coarse_as_asked_or_needed(store: RunningStore, tmp_path: Any) -> None:
    async with answering(store, tmp_path, max_retention_points=30) as api:
        insert_views(store, watching((0, 8)), watching((0, 50)))
        rows = await api.data(PATH)
        assert [row["end_s"] for row in rows[-2:]] == [96, 100]
        assert rows[1]["audience_watch_ratio"] == 1
        rows = await api.data(PATH, resolution="40")
        assert [(row["views"], row["audience_watch_ratio"]) for row in rows] == [
            (2, 0.6), (1, 0.125), (0, 0),
        ]  # fmt: skip


async def test_without_a_length_the_furthest_second_ends_the_curve(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, watching((0, 8.5), duration_s=None))
    rows = await api.data(PATH)
    assert (len(rows), rows[-1]["end_s"]) == (9, 8.5)
    assert (await summary(api))["relative_reason"] == "its length is not known"


async def test_a_live_stream_runs_on_wall_time(api: Answering, store: RunningStore) -> None:
    live = {"stream_type": "live", "duration_s": None}
    insert_views(
        store,
        watching((0, 10), **live),
        watching((500, 505), started_at=START + 3_000, final=False, **live),
    )
    rows = await api.data(PATH)
    assert [row["views"] for row in rows[:10]] == [1, 1, 1, 2, 2, 2, 2, 2, 1, 1]
    found = await summary(api)
    assert (found["axis"], found["open_views"]) == ("wall", 1)
    content = await api.data(PATH, axis="content")
    assert (content[502]["views"], content[502]["start_s"]) == (1, 502)


async def test_who_watches_live_now_has_not_left(api: Answering, store: RunningStore) -> None:
    live = {"stream_type": "live", "duration_s": None}
    insert_views(
        store,
        *(watching((0, 90), final=False, **live) for _ in range(20)),
        *(watching((0, 95), final=False, **live) for _ in range(5)),
    )
    found = await summary(api)
    assert (found["axis"], found["drop_offs"], found["dips"]) == ("wall", [], [])
    leaving = (watching((0, 20), **live) for _ in range(20))
    insert_views(store, *leaving)
    (fall,) = (await summary(api))["drop_offs"]
    assert (fall["start_s"], fall["end_s"]) == (19, 20)


async def test_positions_since_1970_begin_with_the_first(
    api: Answering, store: RunningStore
) -> None:
    epoch = 1.78e9
    row = watching((epoch, epoch + 10), stream_type="live", duration_s=None)
    insert_views(store, row)
    rows = await api.data(PATH, axis="content")
    assert (len(rows), rows[9]["views"]) == (10, 1)


async def test_an_open_view_makes_the_curve_provisional(
    api: Answering, store: RunningStore
) -> None:
    old = NOW_MS - 20 * 86_400_000
    insert_views(store, watching((0, 10), started_at=old))
    span = {"from_": str(old - 1), "to": str(old + 1)}
    assert (await api.get(PATH, **span)).json()["meta"]["provisional"] is False
    insert_views(store, watching((0, 10), started_at=old, final=False))
    assert (await api.get(PATH, **span)).json()["meta"]["provisional"] is True


async def test_a_title_stands_among_those_of_similar_length(
    api: Answering, store: RunningStore
) -> None:
    def title(name: str, length: float, share: float) -> list[dict[str, Any]]:
        run = (0.0, length * share)
        return [watching(run, video_id=name, duration_s=length) for _ in range(5)]

    others = [title(f"t{n}", 90 + 5 * n, n / 10) for n in range(1, 6)]
    much_longer = title("long", 130, 1)
    few = title("few", 100, 1)[:4]
    rows_in = [*title("film", 100, 0.35), *much_longer, *few, *(r for o in others for r in o)]
    insert_views(store, *rows_in)
    found = await summary(api)
    assert (found["similar_titles"], found["relative_reason"]) == (5, None)
    rows = await api.data(PATH)
    assert [rows[at]["relative"] for at in (5, 25, 45, 80)] == [0.5, 0.7, 0.4, 0.5]
    assert (rows[25]["typical_low"], rows[25]["typical_high"]) == (0, 1)


async def test_too_few_similar_titles_are_said(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(watching((0, 50)) for _ in range(5)))
    found = await summary(api)
    assert found["relative_reason"].startswith("0 titles within 25 %")
    assert (await api.data(PATH))[0]["relative"] is None


async def test_a_scene_seen_again_is_a_spike_and_leaving_a_drop_off(
    api: Answering, store: RunningStore
) -> None:
    insert_views(
        store,
        *(watching((0, 100), (40, 45)) for _ in range(100)),
        *(watching((0, 70)) for _ in range(100)),
    )
    found = await summary(api)
    spike, fall = found["spikes"][0], found["drop_offs"][0]
    assert (spike["start_s"], spike["end_s"], spike["score"]) == (40, 45, 1.5)
    assert (fall["start_s"], fall["end_s"], fall["score"]) == (69, 70, 0.5)
    assert found["most_engaged"][0]["start_s"] == 40


async def test_few_views_have_no_moments(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(watching((0, 100), (40, 45)) for _ in range(4)))
    found = await summary(api)
    assert (found["spikes"], found["most_engaged"]) == ([], [])
    assert found["moments_reason"] == "it has fewer than 5 views"


async def test_a_view_that_showed_nothing_has_a_curve_without_shares(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, view_row(video_id="film", intervals=[], duration_s=2.0))
    rows = await api.data(PATH)
    assert [(row["views"], row["absolute"]) for row in rows] == [(0, None), (0, None)]


async def test_filters_bots_and_tokens_narrow_the_views(
    api: Answering, store: RunningStore
) -> None:
    insert_views(
        store,
        watching((0, 10), country="DE", property="p"),
        watching((0, 10), country="FR", property="q"),
        watching((0, 10), bot=True),
    )
    assert (await summary(api))["views"] == 2
    assert (await summary(api, filters="country:DE"))["views"] == 1
    assert (await summary(api, token=api.token("read", "q")))["views"] == 1
    assert (await api.get(PATH, token=api.token("read", "z"))).status_code == 404


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/v1/retention/none", {}, 404),
        (PATH, {"resolution": "0"}, 400),
        (PATH, {"axis": "x"}, 400),
        (PATH, {"interval": "1m"}, 400),
        (PATH, {"filters": "nothing"}, 400),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    api: Answering, path: str, asked: dict[str, str], status: int
) -> None:
    assert (await api.get(path, **asked)).status_code == status


async def test_an_id_may_hold_anything_and_the_rows_come_as_csv(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, watching((0, 10), video_id="a/b ü'{x}"))
    response = await api.get("/v1/retention/a%2Fb%20ü'{x}", format="csv")
    lines = response.text.splitlines()
    assert lines[0].startswith("start_s,end_s,views,absolute")
    assert (len(lines), lines[1].split(",")[2]) == (101, "1")
