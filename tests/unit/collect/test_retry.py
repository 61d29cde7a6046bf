"""Rows out of quarantine are taken up once, as their own sender's and in their own time."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.doors import doors
from playhead.collect.refusals import Refusals
from playhead.collect.retry import UNCONFIRMED_MAX, Held, Retry
from playhead.config import Config
from playhead.errors import LogUnavailable, Unavailable
from playhead.log.base import Entry
from playhead.model.event import Context, Event, Into, Meta
from playhead.model.telemetry import decode

THEN = 1_790_000_000_000
NOW = THEN + 86_400_000 * 30
CONTEXT = Context(property="shop", country="DE", device_class="tv", bot=True, anonymous_id="a1")


class Desk:
    """A retry over the real doors, and a log that is a list."""

    def __init__(self, folder: Path, *, began_at: int | None = 0) -> None:
        self.entries: list[Entry] = []
        self.failure: Exception | None = None
        self.begun = asyncio.Event()
        config, clock = Config(), ManualClock(NOW)
        self.tokens = Tokens(folder / "access.db", clock)
        paths = doors(config, self.append, self.tokens, clock, Refusals())
        self.retry = Retry(paths, self.append, began_at=began_at)

    async def append(self, *entries: Entry) -> int:
        self.begun.set()
        await asyncio.sleep(0.01)
        if self.failure is not None:
            raise self.failure
        self.entries += entries
        return len(self.entries) - len(entries)

    def meta(self) -> Meta:
        return msgspec.json.decode(self.entries[-1].meta, type=Meta)

    def event(self) -> Event:
        (event,) = decode(self.entries[-1].body)
        assert isinstance(event, Event)
        return event


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def held(index: int = 0, *, body: str | None = None, **more: Any) -> Held:
    event = {"eventType": "PLAY", "timestamp": THEN - 100, "viewId": f"v{index}", "odd": [1]}
    given: dict[str, Any] = {
        "offset": 5, "index": index, "received_at": THEN, "door": "telemetry", "property": "shop",
        "source": "", "code": "invalid_event", "body": body or msgspec.json.encode(event).decode(),
        "context": msgspec.json.encode(CONTEXT).decode(),
    }  # fmt: skip
    return Held(**(given | more))


async def test_an_entry_names_the_row_and_keeps_its_context(desk: Desk) -> None:
    assert await desk.retry.take([held(3)], NOW) == []
    assert desk.meta().retried == ((5, 3),)
    assert desk.meta().context == CONTEXT


async def test_a_month_in_quarantine_is_no_age_and_no_skew(desk: Desk) -> None:
    await desk.retry.take([held()], NOW)
    event = desk.event()
    assert (event.timestamp, event.sent_at, event.extra) == (THEN - 100, NOW, {"odd": [1]})


@pytest.mark.parametrize(("timestamp", "sent_at", "sent_now"), [
    (THEN - 100, THEN - 50, NOW - 50), (THEN - 9_000, THEN - 7_000, NOW - 7_000),
    (THEN - 200_000, None, NOW), (THEN - 7_200_000, None, NOW - 7_200_000),
    (THEN + 60_000, None, NOW + 60_000),
])  # fmt: skip
async def test_the_clock_of_the_client_stays_as_wrong_as_it_was(
    desk: Desk, timestamp: int, sent_at: int | None, sent_now: int
) -> None:
    event = {"eventType": "PLAY", "timestamp": timestamp}
    event |= {} if sent_at is None else {"sentAt": sent_at}
    await desk.retry.take([held(body=msgspec.json.encode(event).decode())], NOW)
    assert desk.event().sent_at == sent_now


@pytest.mark.parametrize(("row", "code"), [
    (held(body="5"), "invalid_body"), (held(body="{"), "invalid_body"),
    (held(body='{"eventType":"PLAY"}'), "invalid_event"),
    (held(code="unreadable_record"), "unreadable_record"),
    (held(door="nowhere"), "no_such_door"), (held(code="not_folded", body="5"), "not_an_object"),
    (held(code="store_refused", body="}"), "invalid_body"),
    (held(code="store_refused", body='{"table":1}'), "unreadable_row"),
    (held(context="{"), "unreadable_row"),
    (held(door="events", source="stream_frames", body="[]"), "not_an_object"),
])  # fmt: skip
async def test_what_still_fails_is_said_and_not_appended(desk: Desk, row: Held, code: str) -> None:
    (refused,) = await desk.retry.take([row], NOW)
    assert (refused.id, refused.code) == ("5-0", code)
    assert desk.entries == []


async def test_one_that_fails_does_not_keep_the_others(desk: Desk) -> None:
    rows = [held(0), held(1, body="5"), held(2)]
    assert [one.id for one in await desk.retry.take(rows, NOW)] == ["5-1"]
    assert [desk.retry.fresh(rows)[0].index, len(desk.entries)] == [1, 2]


async def test_a_row_of_a_table_goes_back_to_its_table(desk: Desk) -> None:
    body = '{"table":"cdn_requests","columns":["at","cdn"],"values":[1,"x"]}'
    await desk.retry.take([held(body=body, code="store_refused", door="cdn")], NOW)
    assert desk.entries[0].body == b'[1,"x"]'
    assert desk.meta().rows is not None


async def test_a_row_is_free_again_only_when_the_worker_is_past_it(desk: Desk) -> None:
    await desk.retry.take([held(0), held(1)], NOW)
    desk.retry.confirm(position=1, end=2)
    assert desk.retry.fresh([held(0), held(1)]) == []
    desk.retry.confirm(position=2, end=2)
    assert len(desk.retry.fresh([held(0), held(1), held(1)])) == 2


async def test_an_append_that_failed_counts_as_doubtful(desk: Desk) -> None:
    desk.failure = LogUnavailable()
    with pytest.raises(LogUnavailable):
        await desk.retry.take([held()], NOW)
    desk.retry.confirm(position=6, end=7)
    assert desk.retry.fresh([held()]) == []
    desk.retry.confirm(position=7, end=9)
    assert desk.retry.fresh([held()]) == [held()]


async def test_a_caller_who_leaves_does_not_free_what_is_being_appended(desk: Desk) -> None:
    taking = asyncio.ensure_future(desk.retry.take([held()], NOW))
    await asyncio.wait_for(desk.begun.wait(), 5)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    await asyncio.sleep(0.05)
    assert len(desk.entries) == 1
    assert desk.retry.fresh([held()]) == []


@pytest.mark.parametrize("began_at", [8, None])
def test_nothing_is_taken_up_while_the_process_before_is_pending(
    tmp_path: Path, began_at: int | None
) -> None:
    retry = Desk(tmp_path, began_at=began_at).retry
    with pytest.raises(Unavailable):
        retry.confirm(position=7, end=8)
    retry.confirm(position=8, end=9)


async def test_rows_not_confirmed_are_limited(desk: Desk) -> None:
    rows = [held(n, code="not_folded", body='{"eventType":"P","timestamp":1}')
            for n in range(UNCONFIRMED_MAX)]  # fmt: skip
    await desk.retry.take(rows, NOW)
    with pytest.raises(Unavailable):
        desk.retry.confirm(position=1, end=2)


@pytest.mark.parametrize("row", [
    held(door="cmcd", body='v=2,sid="s1",cid="film",e=ps,sta=p,ts=1790000000000'),
    held(door="events", source="telemetry", body='{"eventType":"PLAY","timestamp":5}'),
    held(door="events", source="stream_frames", body='{"timestamp":5,"stream_id":"s"}'),
], ids=["cmcd", "events", "frames"])  # fmt: skip
async def test_every_door_reads_its_own_again(desk: Desk, row: Held) -> None:
    assert await desk.retry.take([row], NOW) == []
    assert (desk.entries[-1].door, desk.meta().context.property) == (row.door, "shop")


async def test_a_source_that_is_gone_is_said(desk: Desk) -> None:
    (refused,) = await desk.retry.take([held(door="events", source="gone", body="{}")], NOW)
    assert refused.code == "not_found"


async def test_a_projects_row_without_a_table_goes_into_the_log_as_it_was(desk: Desk) -> None:
    into = Into(datasource="plays", shape="abc", workspace="0123456789ab")
    body = f'{{"into":{msgspec.json.encode(into).decode()},"line":["ana",1]}}'
    for code in ("unknown_shape", "store_refused"):
        row = held(body=body, code=code, door="events", source="plays", context="")
        assert await desk.retry.take([row], NOW) == []
        assert desk.entries[-1].body == b'["ana",1]\n'
        assert (desk.meta().into, desk.meta().retried) == (into, ((5, 0),))
