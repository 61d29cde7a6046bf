from typing import Any

import msgspec
import pytest

from playhead.log.base import Record
from playhead.model.event import Context, Into, Meta, Refusal, Rows
from playhead.privacy.scrub import Scrubber
from playhead.privacy.viewer import viewer_of
from playhead.process.unpack import Unpacker

GONE = "viewer-gone"


def record(items: Any, *, key: str = "", body: bytes | None = None, **meta: Any) -> Record:
    text = msgspec.json.encode(items) if body is None else body
    of = msgspec.json.encode(Meta(context=Context(property="p"), **meta))
    count = len(items) if body is None else len(body.split(b"\n"))
    return Record(7, "telemetry", key, 1_000, count, of, text)


def event(**fields: Any) -> dict[str, Any]:
    return {"eventType": "PLAY", "timestamp": 1, **fields}


def scrubbed(
    *records: Record, columns: tuple[str, ...] = (), where: str = "", who: str = GONE
) -> list[Any]:
    scrubber = Scrubber(viewer_of(who, where, columns))
    scrubber.learn(records)
    return [scrubber.scrubbed(one) for one in records]


def test_events_that_go_leave_a_drop_with_their_index_so_that_counts_hold() -> None:
    mixed = record(
        [event(viewerId=GONE, viewId="a"), event(viewerId="other", viewId="b"), {"no": "event"},
         event(viewId="a"), event(viewerId=GONE, viewId=5)],
        key="a", refused=(Refusal(2, "invalid_event", "no"),),
    )  # fmt: skip
    (found,) = scrubbed(mixed)
    assert GONE.encode() not in found.body + found.meta
    assert (found.key, found.events, found.offset) == ("", 5, 7)
    unpacked = Unpacker().unpack(found)
    assert [index for index, _ in unpacked.events] == [1]
    assert unpacked.dropped == ["forgotten"] * 3
    assert unpacked.quarantined_count == 1


@pytest.mark.parametrize(
    ("events", "gone"),
    [
        ([event(sessionId="s")], True),
        ([event(sessionId="s", viewId="x")], True),
        ([event(sessionId="s", viewId="x"), event(viewId="x", viewerId="other")], False),
        ([event(sessionId="t")], False),
        ([event(sessionId="s", viewerId="other")], False),
        (["text"], False),
    ],
)
def test_events_of_their_sessions_that_name_nobody_go_too(events: list[Any], *, gone: bool) -> None:
    first, second = scrubbed(record([event(viewerId=GONE, sessionId="s")]), record(events))
    assert first is not None
    assert (second is not None) is gone


def test_only_the_property_that_is_named() -> None:
    events = record([event(viewerId=GONE)])
    assert scrubbed(events, where="q") == [None]
    assert scrubbed(events, where="p") != [None]


def test_lines_of_tables_and_of_named_data_sources_go() -> None:
    named = record([event(viewerId=GONE, sessionId="s")])
    rows = record(None, body=b'[1,"s",""]\n[2,"t",""]\n[3,"","s"]',
                  rows=Rows("cdn_requests", ("at", "session_id", "view_id")))  # fmt: skip
    into = Into(datasource="plays", shape="x")
    plays = record(None, body=b'[1,"viewer-gone"]\n[2,"other"]\n', into=into)
    _, of_cdn, of_plays = scrubbed(named, rows, plays, columns=("plays.user",))
    assert of_cdn.body == b'""\n[2,"t",""]\n""'
    assert Unpacker().unpack(of_cdn).dropped == ["forgotten"] * 2
    assert of_plays.body == b'\n[2,"other"]\n'
    assert Unpacker().unpack(of_plays).dropped == ["forgotten"]
    assert scrubbed(plays) == [None]


def test_a_refused_text_that_names_them_goes() -> None:
    bad = record([{"viewerId": GONE, "timestamp": "never"}], refused=(Refusal(0, "x", "y"),))
    text = record([f"line of {GONE} here"], refused=(Refusal(0, "x", "y"),))
    assert [one.body for one in scrubbed(bad, text)] == [b"[null]", b"[null]"]
    assert scrubbed(record(None, body=b"no json")) == [None]


def test_addresses_of_content_are_nobodys_by_a_number_in_them() -> None:
    lines = b'[1,"","","/v/12345678/1.ts"]'
    rows = record(None, body=lines, rows=Rows("cdn_requests", ("at", "session_id", "view_id")))
    assert scrubbed(rows, who="12345678") == [None]
    telling = record(
        None, body=lines.replace(b"12345678", GONE.encode()), rows=Rows("cdn_requests", ())
    )
    assert scrubbed(telling) != [None]


def test_texts_of_another_property_stay() -> None:
    refused = record([f"line of {GONE} here"], refused=(Refusal(0, "x", "y"),))
    rows = record(None, body=f'[1,"{GONE}"]'.encode(), rows=Rows("cdn_requests", ()))
    assert scrubbed(refused, rows, where="q") == [None, None]
    assert None not in scrubbed(refused, rows, where="p")
