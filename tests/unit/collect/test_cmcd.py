from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.cmcd import PATHS, CmcdDoor
from playhead.collect.doors import doors
from playhead.collect.entrance import entrance_of
from playhead.collect.refusals import Refusals
from playhead.config import Collect, Config
from playhead.errors import DiskLow, QueueFull
from playhead.log.base import Entry
from playhead.model.event import Event, Meta
from playhead.model.telemetry import decode
from support.knock import Got, knock

NOW = 1_765_837_003_500
PLAYING = f'cid="film",e=ps,sid="s1",sn=1,sta=p,ts={NOW - 100},v=2'
BEAT = f'cid="film",e=t,sid="s1",sn=2,sta=p,ts={NOW - 50},v=2'


class Door:
    """A door, what it appended, and a way to knock."""

    def __init__(self, folder: Path, collect: Collect) -> None:
        clock = ManualClock(NOW)
        self.entries: list[Entry] = []
        self.failure: Exception | None = None
        self.tokens = Tokens(folder / "access.db", clock)
        self.door = CmcdDoor(entrance_of(Config(collect=collect), self.append, self.tokens, clock))

    async def append(self, *entries: Entry) -> int:
        if self.failure is not None:
            raise self.failure
        self.entries += entries
        return len(self.entries) - len(entries)

    async def knock(
        self, body: str | bytes, method: str = "POST", query: str = "", **headers: str
    ) -> Got:
        data = body if isinstance(body, bytes) else body.encode()
        return await knock(self.door, data, query, method, **headers)

    def meta(self, index: int = -1) -> Meta:
        return msgspec.json.decode(self.entries[index].meta, type=Meta)

    def kinds(self) -> list[str]:
        found = decode(self.entries[0].body)
        return [one.event_type for one in found if isinstance(one, Event)]

    def refused(self) -> list[str]:
        return [one.code for one in self.meta().refused]


Make = Callable[..., Door]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Door] = []

    def make(**collect: Any) -> Door:
        made.append(Door(tmp_path, Collect(**collect)))
        return made[-1]

    yield make
    for door in made:
        door.tokens.close()


async def test_a_batch_is_taken_and_answered_with_nothing(make: Make) -> None:
    door = make()
    got = await door.knock(f"{PLAYING}\n{BEAT}", content_type="application/cmcd")
    assert (got.status, got.raw) == (204, b"")
    assert door.kinds() == ["PLAYING", "HEARTBEAT"]


async def test_pages_of_other_sites_may_read_the_answer(make: Make) -> None:
    got = await make().knock(PLAYING, origin="https://tv.example")
    assert got.headers["access-control-allow-origin"] == "*"
    assert "content-type" not in got.headers


async def test_the_preflight_allows_the_four_headers(make: Make) -> None:
    asked = "cmcd-request, cmcd-object, cmcd-status, cmcd-session"
    headers = {"origin": "https://tv.example", "access_control_request_headers": asked}
    got = await make().knock("", "OPTIONS", **headers)
    assert got.status == 204
    assert got.headers["access-control-allow-headers"] == asked
    assert got.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"


async def test_the_entry_says_where_it_belongs(make: Make) -> None:
    door = make()
    await door.knock(f"{PLAYING}\r\n\n {BEAT} \n")
    assert (door.entries[0].door, door.entries[0].key) == ("cmcd", "s1")
    assert (len(door.entries), door.entries[0].events) == (1, 2)


async def test_a_record_that_cannot_be_read_stands_apart_in_quarantine(make: Make) -> None:
    door = make()
    got = await door.knock(f"{PLAYING}\nhello world\n{BEAT}")
    assert (got.status, door.kinds(), door.refused()) == (
        204, ["PLAYING", "HEARTBEAT"], ["invalid_record"],
    )  # fmt: skip
    assert msgspec.json.decode(door.entries[1].body) == ["hello world"]


async def test_refusals_are_noted_for_the_status_page(make: Make) -> None:
    door = make()
    await door.knock(f"{BEAT}\nhello world\ne=t,ts=1000\ne=t,v=3")
    noted = [one.code for one in door.door.refusals.recent()]
    assert noted == ["unknown_version", "invalid_record", "too_old"]


async def test_a_version_that_is_not_understood_is_dropped_by_name(make: Make) -> None:
    door = make()
    got = await door.knock(f'e=t,sid="s1",ts={NOW},v=3')
    assert (got.status, door.refused()) == (204, ["unknown_version"])
    assert door.meta().refused[0].dropped


async def test_events_that_are_too_old_are_dropped(make: Make) -> None:
    door = make()
    await door.knock(f"e=t,ts=1000,v=2\n{BEAT}")
    assert [(one.index, one.code) for one in door.meta().refused] == [(0, "too_old")]
    assert door.entries[0].events == 2


async def test_a_record_of_several_events_is_cut_into_entries(make: Make) -> None:
    door = make(max_events_per_request=4)
    await door.knock("\n".join([f"{BEAT},bsd=(1 2)"] * 3))
    assert [entry.events for entry in door.entries] == [4, 4, 1]
    assert door.meta().refused == ()


async def test_each_entry_names_its_own_drops(make: Make) -> None:
    door = make(max_events_per_request=1)
    await door.knock("e=t,ts=1000")
    door.door.config = Collect(max_events_per_request=2)
    await door.knock("e=t,ts=1000,bsd=(1 2)\ne=t,ts=2000")
    named = [[one.index for one in door.meta(index).refused] for index in range(3)]
    assert named == [[0], [0, 1], [0, 1]]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_without_body_brings_its_record_in_the_query(
    make: Make, method: str
) -> None:
    door = make()
    got = await door.knock("", method, query='a=1&CMCD=br%3D3200%2Cot%3Dv%2Csid%3D"s%262"')
    assert (got.status, door.kinds()) == (204, ["REQUEST"])
    assert door.entries[0].key == "s&2"


async def test_headers_win_over_the_query(make: Make) -> None:
    door = make()
    await door.knock("", "GET", query="CMCD=sid%3D%22query%22", cmcd_session='sid="head"')
    assert door.entries[0].key == "head"
    assert door.entries[0].events == 1


async def test_nothing_is_nothing(make: Make) -> None:
    door = make()
    got = await door.knock(" \n", query="a=1")
    assert (got.status, door.entries) == (204, [])


@pytest.mark.parametrize(
    "body",
    [
        [PLAYING, BEAT],
        [{"e": "ps", "sta": "p", "ts": NOW, "sid": "s1", "br": [3000], "bg": False}, BEAT],
    ],
)
async def test_records_in_json_are_read(make: Make, body: list[Any]) -> None:
    door = make()
    await door.knock(msgspec.json.encode(body), content_type="application/json")
    assert door.kinds() == ["PLAYING", "HEARTBEAT"]


async def test_what_only_looks_like_json_is_one_refused_record(make: Make) -> None:
    door = make()
    got = await door.knock("[{")
    assert (got.status, door.refused()) == (204, ["invalid_record"])


async def test_long_records_let_others_have_their_turn(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[float] = []

    async def turn(seconds: float) -> None:
        turns.append(seconds)

    monkeypatch.setattr("playhead.collect.cmcd.CHARS_PER_TURN", len(BEAT))
    monkeypatch.setattr("playhead.collect.cmcd.asyncio.sleep", turn)
    await make().knock("\n".join([BEAT] * 3))
    assert turns == [0, 0, 0]


async def test_too_many_records_are_refused_whole(make: Make) -> None:
    door = make(max_events_per_request=2)
    got = await door.knock("\n".join([BEAT] * 3))
    assert (got.status, door.entries) == (413, [])


async def test_a_full_queue_slows_players_down(make: Make) -> None:
    door = make()
    door.failure = QueueFull()
    got = await door.knock(BEAT)
    assert got.status == 429
    assert got.headers["retry-after"] == "1"


async def test_a_full_disk_is_no_reason_to_slow_down(make: Make) -> None:
    door = make()
    door.failure = DiskLow()
    assert (await door.knock(BEAT)).status == 503


async def test_a_rate_limit_slows_players_down(make: Make) -> None:
    door = make(requests_per_minute_per_address=1)
    sender = {"x_forwarded_for": "192.0.2.1"}
    assert [(await door.knock(BEAT, **sender)).status for _ in range(2)] == [204, 429]


async def test_an_unknown_key_ends_the_reports(make: Make) -> None:
    got = await make().knock(BEAT, query="key=ph_write_nobody")
    assert got.status == 410
    assert msgspec.json.decode(got.raw)["code"] == "unauthenticated"


async def test_a_read_token_ends_the_reports(make: Make) -> None:
    door = make()
    _, secret = door.tokens.create("read", "", None)
    assert (await door.knock(BEAT, x_playhead_key=secret)).status == 410


async def test_a_key_says_the_property(make: Make) -> None:
    door = make()
    _, secret = door.tokens.create("write", "", "tv")
    await door.knock(BEAT, authorization=f"Bearer {secret}")
    assert door.meta().context.property == "tv"


async def test_a_closed_door_ends_the_reports(make: Make) -> None:
    door = make(closed_doors=("cmcd",))
    got = await door.knock(BEAT, origin="https://tv.example")
    assert (got.status, msgspec.json.decode(got.raw)["code"]) == (410, "door_closed")
    assert got.headers["access-control-allow-origin"] == "*"


async def test_a_record_that_names_nobody_gets_the_daily_id(make: Make) -> None:
    door = make()
    await door.knock(f"e=t,ts={NOW},v=2")
    assert door.entries[0].key == door.meta().context.anonymous_id != ""


def test_both_addresses_lead_here(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    tokens = Tokens(tmp_path / "access.db", clock)
    found = doors(Config(), Door.append, tokens, clock, Refusals())
    tokens.close()
    assert {type(found[path]) for path in PATHS} == {CmcdDoor}
