"""What the worker reads back has no size that stops it: long keys, many events, large states."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.config import Process
from playhead.model import event_row
from playhead.model.kinds import kind_of
from playhead.model.view import FOLD_VERSION
from playhead.process.recall import Recall
from playhead.process.tracks import Tracks
from playhead.store.client import StoreClient
from support.running_store import RunningStore, now_ms, running_store

RESULT_MAX_BYTES = 100_000
FIRST_STATE = (
    "KLUv/WBVAR0IAIIKJSuAqWkMa8qCSFc4LbY8pa9hKj+nyov0mNPvI/of3CNWnh7VBRwLnUEAIdumi10W8I5nsClqOFfaXaha"
    "Dar/y4tdUlkm3V049/lzvlGLEO4kgaQhr+FUyyvqbWrxj39sOFACAylAVBRcKvFdPWkReQUHBgyMQ7De7XM++2DI2y0MVbzE"
    "0bgHAHILDMFAE9G45yF6wiEyILACqSrWAR+SpYEHbYFHAS+Q2ArD0Vj8hosUYO5JK7OyCNQFRIoei2DHyZgadhbKyO1wNuj"
    "guEsq3GTOrlK5JIZNsovYpXU3IlkL2E3tcdk4ktcmQQ2A7FstkBVwx3Erdee3W/QAXIrMuhM="
)
"""What a view that had played ten seconds kept in its row, before intervals knew their rate."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    folder: Path = tmp_path_factory.mktemp("recall")
    with running_store(folder, query__max_result_bytes=RESULT_MAX_BYTES) as running:
        yield running


def put_events(
    client: StoreClient, key: str, count: int, *, text: str = "", event_type: str = "PLAY"
) -> None:
    blank: dict[str, Any] = dict.fromkeys(event_row.COLUMNS)
    at = now_ms()
    rows = [
        list((blank | {
            "view_key": key, "at": at, "received_at": at, "kind": "PLAY", "log_offset": number,
            "log_index": 0, "identity": number, "timestamp": at, "event_type": event_type,
            "asn": 0, "bot": False, "internal": False, "custom": {"text": text},
        }).values())
        for number in range(count)
    ]  # fmt: skip
    body = msgspec.json.Encoder().encode_lines(rows)
    client.insert("events", event_row.COLUMNS, body, token=f"test:{hash(key)}")


def test_keys_longer_than_a_url_are_asked_for_in_parts(store: RunningStore) -> None:
    keys = [f"default/{'é' * 250}{number}" for number in range(150)]
    put_events(store.client, keys[149], 2)
    found = Recall(store.client).events(keys, 10)
    assert {key: len(events) for key, events in found.items()} == {keys[149]: 2}


def test_events_larger_than_a_result_may_be_come_in_parts(store: RunningStore) -> None:
    for number in range(3):
        put_events(store.client, f"default/large-{number}", 40, text="x" * 5_000)
    found = Recall(store.client).events([f"default/large-{number}" for number in range(3)], 39)
    assert {key: len(events) for key, events in found.items()} == {
        f"default/large-{number}": 39 for number in range(3)
    }


def test_states_larger_than_a_result_may_be_come_in_parts(store: RunningStore) -> None:
    store.client.command(
        "INSERT INTO views (view_id, view_key, property, first_seen_day, state, version)"
        " SELECT toString(number), toString(number), 'default', today(),"
        " repeat('x', 30000), 1 FROM numbers(20)"
    )
    tracks = Tracks(Process())
    put_events(store.client, "7", 1)
    # Their fold version is another, so they are folded again: one of them has events.
    assert Recall(store.client).open_tracks(tracks, 10) == 1


def test_a_state_that_cannot_be_read_is_folded_again(store: RunningStore) -> None:
    store.client.command(
        "INSERT INTO views (view_id, view_key, property, first_seen_day, state, fold_version,"
        f" version) SELECT 'torn', 'torn', 'p', today(), 'x', {FOLD_VERSION}, 1"
    )
    put_events(store.client, "torn", 3)
    tracks = Tracks(Process())
    Recall(store.client).open_tracks(tracks, 10)
    assert tracks.at("torn").count == 3


@pytest.mark.parametrize("fold_version", [1, FOLD_VERSION])
def test_open_views_of_the_first_release_are_folded_again(
    store: RunningStore, fold_version: int
) -> None:
    key = f"first-release-{fold_version}"
    store.client.command(
        "INSERT INTO views (view_id, view_key, property, first_seen_day, state, fold_version,"
        f" last_offset, version) SELECT '{key}', '{key}', 'p', today(), '{FIRST_STATE}',"
        f" {fold_version}, 2, 1"
    )
    put_events(store.client, key, 4)
    tracks = Tracks(Process())
    Recall(store.client).open_tracks(tracks, 10)
    [row] = tracks.at(key).rows(now_ms())
    assert (tracks.at(key).count, row.fold_version, row.started_at > 0) == (4, FOLD_VERSION, True)


def test_an_event_of_no_type_comes_back(store: RunningStore) -> None:
    put_events(store.client, "untyped", 1, event_type="")
    (stored,) = Recall(store.client).events(["untyped"], 10)["untyped"]
    assert kind_of(stored.event.event_type) == "CUSTOM"
