import json
from pathlib import Path
from typing import Any

import pytest

from playhead.clock import SystemClock
from playhead.connect.files.kind import Kind, Target
from playhead.connect.files.lines import Source
from playhead.connect.files.record import Record
from playhead.connect.files.sending import Batch, Sender, Told
from playhead.errors import InvalidRequest, Unavailable
from support.listener import Listener
from support.listener import Told as Answer

EVENTS = Target("/telemetry", "application/json", array=True)
LINES = Target("/logs/cdn", "application/x-ndjson")


def event(line: int, **fields: Any) -> Record:
    return Record(0, line, line, 1_000, {"timestamp": 1_000, **fields})


def lines(*texts: bytes) -> list[Record]:
    return [Record(0, n, n, None, None, text) for n, text in enumerate(texts, 1)]


def send(listener: Listener, batch: Batch, *, shift_ms: int = 0, key: str = "") -> Told:
    source = Source(Path("a"), "a", 1, "identity")
    sender = Sender(listener.url, key, [source], [shift_ms], SystemClock())
    try:
        return sender.send(batch)
    finally:
        sender.close()


def test_events_go_as_an_array_sent_now_with_their_times_moved() -> None:
    buffering = {"startedAt": 900, "durationMs": 5}
    with Listener() as listener:
        told = send(
            listener,
            Batch(Kind.TELEMETRY, EVENTS, [event(1, sentAt=1, buffering=buffering)]),
            shift_ms=50,
            key="k",
        )
    [sent] = json.loads(listener.posts[0].body)
    assert (sent["timestamp"], sent["buffering"]["startedAt"]) == (1_050, 950)
    assert abs(sent["sentAt"] - SystemClock().now_ms()) < 5_000
    assert listener.posts[0].headers["authorization"] == "Bearer k"
    assert told == Told(1, [])


def test_lines_go_as_they_are_with_a_key_of_file_and_lines() -> None:
    batch = Batch(Kind.CDN, LINES, lines(b"one", b"two"), b"#head\n")
    with Listener() as listener:
        send(listener, batch)
        send(listener, batch)
        send(listener, Batch(Kind.CDN, LINES, lines(b"one")))
    keys = [post.headers["idempotency-key"] for post in listener.posts]
    assert listener.posts[0].body == b"#head\none\ntwo"
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_server_is_asked_again(status: int) -> None:
    with Listener((status, {}, {"retry-after": "0"})) as listener:
        told = send(listener, Batch(Kind.TELEMETRY, EVENTS, [event(1)]))
    assert (told.accepted, len(listener.posts)) == (1, 2)


def test_retry_after_is_honoured() -> None:
    clock = SystemClock()
    began_s = clock.monotonic_s()
    with Listener((429, {}, {"retry-after": "1"})) as listener:
        send(listener, Batch(Kind.CDN, LINES, lines(b"one")))
    assert clock.monotonic_s() - began_s >= 1
    assert listener.posts[0] == listener.posts[1]


def test_what_was_rejected_is_said_of_the_record() -> None:
    rejected = {"rejected": [{"index": 1, "code": "too_old", "message": "Old."}, {"index": 9}]}
    with Listener((200, rejected, {})) as listener:
        told = send(listener, Batch(Kind.TELEMETRY, EVENTS, [event(1), event(2)]))
    assert told.accepted == 1
    assert [(record.line, code) for record, code, _ in told.refused] == [(2, "too_old")]


def test_a_bad_record_is_found_by_halves() -> None:
    bad: Answer = (400, {"code": "invalid_body", "message": "No."}, {})
    with Listener(bad, (200, {}, {}), bad, bad, (200, {}, {})) as listener:
        told = send(listener, Batch(Kind.CDN, LINES, lines(b"1", b"2", b"3", b"4")))
    assert [post.body for post in listener.posts] == [b"1\n2\n3\n4", b"1\n2", b"3\n4", b"3", b"4"]
    assert [(one.line, code) for one, code, _ in told.refused] == [(3, "invalid_body")]


@pytest.mark.parametrize(("status", "hint"), [(401, "--key"), (404, "no door"), (410, "closed")])
def test_what_the_server_will_never_take_stops_it(status: int, hint: str) -> None:
    with (
        Listener((status, {"message": "No."}, {})) as listener,
        pytest.raises(InvalidRequest) as raised,
    ):
        send(listener, Batch(Kind.TELEMETRY, EVENTS, [event(1)]))
    assert f"answered {status}: No." in raised.value.message
    assert hint in raised.value.hint


def test_a_data_source_that_is_not_known_there_is_told_with_the_door_s_hint() -> None:
    said = {"message": "No.", "hint": "Known are: a.", "documentation": "/docs/errors#not_found"}
    with Listener((404, said, {})) as listener, pytest.raises(InvalidRequest) as raised:
        send(listener, Batch(Kind.TELEMETRY, EVENTS, [event(1)]))
    assert raised.value.hint == "Known are: a."


def test_nobody_there_is_said_at_once() -> None:
    with Listener() as gone:
        pass
    with pytest.raises(Unavailable, match="Nothing answers"):
        send(gone, Batch(Kind.TELEMETRY, EVENTS, [event(1)]))


def test_lines_sent_before_with_other_times_stay_as_they_were() -> None:
    said = "This Idempotency-Key came before with another body. Nothing of this was stored."
    with Listener((400, {"code": "invalid_request", "message": said}, {})) as listener:
        told = send(listener, Batch(Kind.CMCD, LINES, lines(b"ts=1", b"ts=2")))
    assert [code for _, code, _ in told.refused] == ["already_sent"] * 2
    assert len(listener.posts) == 1


def test_a_wrong_request_is_not_cut_up() -> None:
    with (
        Listener((400, {"code": "invalid_request", "message": "No format."}, {})) as listener,
        pytest.raises(InvalidRequest, match="No format"),
    ):
        send(listener, Batch(Kind.CDN, LINES, lines(b"1", b"2")))


def test_refusals_that_are_only_counted_are_counted() -> None:
    with Listener((202, {"successful_rows": 1, "quarantined_rows": 2}, {})) as listener:
        told = send(listener, Batch(Kind.EVENTS, LINES, lines(b"1", b"2", b"3")))
    assert (told.accepted, [code for _, code, _ in told.refused]) == (1, ["not_named"] * 2)
