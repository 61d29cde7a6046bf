import msgspec
from msgspec.structs import astuple

from playhead.log.base import Record
from playhead.model.cdn import cdn_of
from playhead.model.event import Ad, Context, Event, Meta, Refusal, Rows
from playhead.model.event_row import ROW_COLUMNS, row_of
from playhead.process.rows import Line, Table
from playhead.process.unpack import (
    QUARANTINE_COLUMNS,
    QUARANTINED_BODY_MAX_BYTES,
    Unpacker,
    unplaced_row,
    unstored_row,
)

CODE, BODY = QUARANTINE_COLUMNS.index("code"), QUARANTINE_COLUMNS.index("body")
GOOD = b'{"eventType":"PLAY","timestamp":1,"host":"d1.cloudfront.net"}'


def record(body: bytes, events: int, *refused: Refusal) -> Record:
    meta = msgspec.json.encode(Meta(refused=refused))
    return Record(7, "telemetry", "k", 1_000, events, meta, body)


def test_every_event_goes_one_way() -> None:
    body = b"[" + GOOD + b"," + GOOD + b',{"timestamp":1}]'
    refusals = (Refusal(1, "too_old", "old", dropped=True), Refusal(2, "invalid_event", "no type"))
    unpacked = Unpacker().unpack(record(body, 3, *refusals))
    assert [index for index, _ in unpacked.events] == [0]
    assert unpacked.dropped == ["too_old"]
    assert unpacked.quarantined[0][2] == 2
    assert unpacked.quarantined[0][BODY] == '{"timestamp":1}'


def test_a_fault_the_door_did_not_name_is_quarantined() -> None:
    unpacked = Unpacker().unpack(record(b"[" + GOOD + b",5]", 2))
    assert unpacked.quarantined_count == 1
    assert len(unpacked.events) == 1


def test_an_unreadable_record_counts_all_its_events() -> None:
    unpacked = Unpacker().unpack(record(b"[broken", 4))
    assert unpacked.quarantined_count == 4
    assert unpacked.quarantined[0][CODE] == "unreadable_record"


def test_the_cdn_is_known_by_the_host() -> None:
    _, event = Unpacker().unpack(record(b"[" + GOOD + b"]", 1)).events[0]
    assert event.cdn == cdn_of("d1.cloudfront.net") != ""


def test_rows_go_to_their_table_with_their_place_before_them() -> None:
    meta = Meta(rows=Rows("cdn_requests", ("at", "cdn")), refused=(Refusal(1, "bad_line", "no"),))
    body = b'[1,"a"]\n"broken line"\n[2,"b"]\n'
    unpacked = Unpacker().unpack(Record(7, "cdn", "k", 1_000, 3, msgspec.json.encode(meta), body))
    texts = [msgspec.json.decode(line.text) for line in unpacked.lines]
    assert texts == [[1000, 7, 0, "cdn", "default", 1, "a"], [1000, 7, 2, "cdn", "default", 2, "b"]]
    assert [(row[CODE], row[BODY]) for row in unpacked.quarantined] == [("bad_line", "broken line")]


def test_a_table_that_is_no_name_is_set_aside_whole() -> None:
    meta = msgspec.json.encode(Meta(rows=Rows("x; DROP", ("at",))))
    unpacked = Unpacker().unpack(Record(7, "cdn", "k", 1_000, 2, meta, b"[1]\n[2]"))
    assert (unpacked.lines, unpacked.quarantined_count) == ([], 2)


def test_an_event_the_store_refused_can_be_read_again() -> None:
    context = Context(property="shop", country="DE")
    event = Event(event_type="PLAY", timestamp=5, seq=1, ad=Ad(id="a"), extra={"odd": [1]})
    own = ("shop/v", 5, 1, "PLAY", 1_000, 7, 3, "cmcd")
    line = msgspec.json.encode(row_of(own, astuple(context), event))
    row = dict(zip(QUARANTINE_COLUMNS, unstored_row(line), strict=True))
    assert msgspec.json.decode(row["body"], type=Event) == event
    assert msgspec.json.decode(row["context"], type=Context) == context


def test_a_row_of_a_table_that_the_store_refused_names_its_table() -> None:
    table = Table("cdn_requests", (*ROW_COLUMNS, "at", "cdn"))
    row = unstored_row(b'[1000,7,2,"cdn","shop",5,"x"]', table)
    found = dict(zip(QUARANTINE_COLUMNS, row, strict=True))
    assert found["body"] == '{"table":"cdn_requests","columns":["at","cdn"],"values":[5,"x"]}'
    assert (found["log_offset"], found["door"], found["property"]) == (7, "cdn", "shop")


def test_a_large_row_of_a_project_is_kept_whole() -> None:
    text = b'["%b"]' % (b"x" * (1 << 20))
    assert len(text) > QUARANTINED_BODY_MAX_BYTES
    row = unplaced_row(Line(1_000, 7, 0, text), b'{"datasource":"p"}', "unknown_shape", "no", "p")
    assert row[BODY] == '{"into":{"datasource":"p"},"line":' + text.decode() + "}"
    assert row[QUARANTINE_COLUMNS.index("truncated")] is False
