"""The report of CTA-2066 over a real store."""

from support.answering import Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]

SESSIONS = [
    {"cdn": "a", "startup_ms": 300, "content_startup_ms": 900, "watch_ms": 1000, "rebuffer_ms": 100,
     "rebuffer_count": 3, "bits_played": 6000, "media_s": 2},
    {"cdn": "a", "startup_ms": 100, "watch_ms": 3000, "bits_played": 3000, "media_s": 1,
     "playback_failed": True},
    {"cdn": "b", "startup_failed_business": True},
    {"cdn": "b", "exit_before_start": True, "bot": False},
    {"cdn": "b", "startup_ms": 1, "bot": True},
]  # fmt: skip


async def test_the_report_says_what_the_standard_says(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(view_row(**row) for row in SESSIONS))
    assert await api.data("/v1/reports/cta2066") == [
        {"sessions": 4, "sessionsStarted": 2, "playbackFailed": 2, "playbackFailurePercentage": 50,
         "averageInitialStartupTime": 200, "playbackStallCount": 3, "averageStallCount": 0.75,
         "playbackStallDuration": 100, "watchedTime": 4000, "averageStalledTimePercentage": 2.5,
         "bitsPlayed": 9_000_000, "averageBitrate": 3000},
    ]  # fmt: skip


async def test_it_is_cut_and_narrowed_as_other_answers(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(view_row(**row) for row in SESSIONS), view_row(cdn="c"))
    response = await api.get("/v1/reports/cta2066", group_by="cdn", filters="!cdn:c", limit=1)
    assert [(row["group"], row["sessions"]) for row in response.json()["data"]] == [("a", 2)]
    assert (response.json()["meta"]["more"], response.json()["meta"]["group_by"]) == (True, "cdn")


async def test_without_sessions_averages_are_null(api: Answering) -> None:
    (row,) = await api.data("/v1/reports/cta2066")
    assert (row["sessions"], row["playbackFailurePercentage"], row["averageBitrate"]) == (
        0,
        None,
        None,
    )
    assert await api.data("/v1/reports/cta2066", group_by="cdn") == []


async def test_a_token_sees_its_property_and_faults_are_told(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, view_row(property="mine"), view_row(property="theirs"))
    answer = await api.get("/v1/reports/cta2066", token=api.token("read", "mine"))
    assert [row["sessions"] for row in answer.json()["data"]] == [1]
    assert (await api.get("/v1/reports/cta2066", interval="1h")).status_code == 400
