"""What a CMCD record costs: CPU µs to parse it, to make events of it, and through the door."""

import asyncio
import tempfile
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import http_sf
import msgspec

from playhead.access import Tokens
from playhead.clock import SystemClock
from playhead.collect.cmcd import CmcdDoor
from playhead.collect.entrance import entrance_of
from playhead.config import Config
from playhead.log.base import Entry
from playhead.model.cmcd import decode_line, events_of
from playhead.model.cmcd.fields import parse_dictionary

RECORDS = 20_000
BATCH = 100
REQUESTS = 200


def record(now_ms: int, number: int) -> str:
    """A heartbeat of 15 keys, as a player sends it every 30 seconds."""
    session = f"6e2fb550-c457-11e9-bb97-{number % 5_000:012}"
    return (
        f'bl=({12_000 + number % 90 * 100}),br=(5000;v),cid="faec5fc2-ac30-11ea",e=t,'
        f"ltc={3_000 + number % 1_000},mtp=({25_000 + number % 40 * 100}),pt={number * 30},sf=h,"
        f'sid="{session}",sn={number % 100},st=v,sta=p,tb=(6000;v),ts={now_ms - number % 900},v=2'
    )


def per_record_us(records: list[str], work: Callable[[str], object]) -> float:
    """The best of three runs, in CPU µs."""
    spent = []
    for _ in range(3):
        started_s = time.process_time()
        for one in records:
            work(one)
        spent.append(time.process_time() - started_s)
    return min(spent) / len(records) * 1e6


async def door_us(records: list[str]) -> float:
    """CPU µs a record through the door, without network and disk."""

    async def append(*entries: Entry) -> int:
        return len(entries)

    answers: list[int] = []
    bodies = [
        "\n".join(records[first : first + BATCH]).encode()
        for first in range(0, REQUESTS * BATCH, BATCH)
    ]

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answers.append(message["status"])

    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        tokens = Tokens(Path(folder) / "access.db", clock)
        door = CmcdDoor(entrance_of(Config(), append, tokens, clock))
        started_s = time.process_time()
        for body in bodies:

            async def receive(body: bytes = body) -> MutableMapping[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/cmcd",
                "query_string": b"",
                "client": ("127.0.0.1", 50_000),
                "headers": [(b"content-type", b"application/cmcd")],
            }
            await door(scope, receive, send)
        spent_s = time.process_time() - started_s
        tokens.close()
    assert set(answers) == {204}, set(answers)
    return spent_s / (len(bodies) * BATCH) * 1e6


def main() -> None:
    now_ms = SystemClock().now_ms()
    records = [record(now_ms, number) for number in range(RECORDS)]
    library = per_record_us(
        records[:2_000], lambda one: http_sf.parse(one.encode(), tltype="dictionary")
    )
    strict = per_record_us(records[:2_000], parse_dictionary)
    parsed = per_record_us(records, decode_line)

    def make(one: str) -> None:
        found = decode_line(one)
        assert found is not None
        msgspec.json.encode(events_of(found, now_ms))

    events = per_record_us(records, make)
    print(f"http-sf, 15 keys          {library:7.1f} µs a record")
    print(f"strict parser             {strict:7.1f} µs a record")
    print(
        f"tolerant parser           {parsed:7.1f} µs a record, 1/{library / parsed:.1f} of http-sf"
    )
    print(f"record to events and JSON {events:7.1f} µs a record")
    print(f"the door, without disk    {asyncio.run(door_us(records)):7.1f} µs a record")


if __name__ == "__main__":
    main()
