import msgspec

from playhead.log.base import Record
from playhead.model.cdn import cdn_of
from playhead.model.event import Meta, Refusal
from playhead.process.unpack import Unpacker

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
    assert unpacked.quarantined[0][-1] == '{"timestamp":1}'


def test_a_fault_the_door_did_not_name_is_quarantined() -> None:
    unpacked = Unpacker().unpack(record(b"[" + GOOD + b",5]", 2))
    assert unpacked.quarantined_count == 1
    assert len(unpacked.events) == 1


def test_an_unreadable_record_counts_all_its_events() -> None:
    unpacked = Unpacker().unpack(record(b"[broken", 4))
    assert unpacked.quarantined_count == 4
    assert unpacked.quarantined[0][5] == "unreadable_record"


def test_the_cdn_is_known_by_the_host() -> None:
    _, event = Unpacker().unpack(record(b"[" + GOOD + b"]", 1)).events[0]
    assert event.cdn == cdn_of("d1.cloudfront.net") != ""
