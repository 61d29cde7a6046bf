"""The door as a whole: answers, limits, entries, the recording."""

import gzip
from pathlib import Path
from statistics import median

import pytest

from playhead.collect.logs.edgecast import Edgecast
from playhead.collect.logs.logged import Options
from playhead.collect.request import Request
from support.cdn_door import NOW, Doorstep
from support.lumos import data_folder

LINE = b'{"at":%d,"path":"/a/b/c.ts"}' % NOW
RECORDED_AT_MS = 1_631_233_905_000


def recording() -> bytes:
    path: Path = data_folder() / "cdn" / "edgecast.ndjson"
    if not path.exists():
        pytest.skip("no recordings on this machine (set PLAYHEAD_DATA)")
    return path.read_bytes()


def test_an_unknown_format_is_named_with_the_known_ones() -> None:
    sent = Doorstep().send(LINE, "format=squid")
    assert (sent.status, sent.entries) == (400, [])
    assert "edgecast, cloudfront, cloudfront-realtime, fastly, akamai" in sent.body["message"]


@pytest.mark.parametrize("query", ["cdn=a%20b", "fields=" + ",".join("abcdefgh" * 20)])
def test_a_parameter_that_is_none_is_refused(query: str) -> None:
    assert Doorstep().send(LINE, query).status == 400


def test_an_empty_body_holds_nothing() -> None:
    sent = Doorstep().send(b" \n")
    assert sent.body == {"ok": True, "accepted": 0, "rejected": [], "rejected_total": 0}
    assert sent.entries == []


def test_a_packed_body_is_unpacked() -> None:
    sent = Doorstep().send(gzip.compress(LINE), content_encoding=b"gzip")
    assert sent.body["accepted"] == 1


def test_many_lines_are_several_entries_with_indices_of_their_own() -> None:
    sent = Doorstep(max_events_per_request=3).send(b"\n".join([LINE, LINE, LINE, b"{", LINE]))
    assert [entry.events for entry in sent.entries] == [3, 2]
    assert [one.index for one in sent.refused()] == [0]
    assert [one["index"] for one in sent.body["rejected"]] == [3]


def test_the_answer_names_a_hundred_refusals_and_counts_all() -> None:
    sent = Doorstep().send(b"{\n" * 250, "format=json")
    assert (len(sent.body["rejected"]), sent.body["rejected_total"]) == (100, 250)


def test_too_many_lines_are_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playhead.collect.logs.items.LINES_MAX", 4)
    sent = Doorstep(max_events_per_request=2).send(b"\n".join([LINE] * 5))
    assert (sent.status, sent.entries) == (413, [])


@pytest.mark.parametrize("body", [b"{}" + b"\n" * 5 + b"{}", b"[" + b"{}," * 5 + b"{}]"])
def test_blank_lines_and_members_count_too(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setattr("playhead.collect.logs.items.LINES_MAX", 4)
    assert Doorstep().send(body, "format=json").status == 413


def test_long_lines_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playhead.collect.logs.door.CHUNK_BYTES", 2 * len(LINE))
    sent = Doorstep().send(b"\n".join([LINE] * 5))
    assert [entry.events for entry in sent.entries] == [2, 2, 1]


def test_a_body_over_the_limit_of_logs_is_refused() -> None:
    assert Doorstep(max_log_body_bytes=10).send(LINE).status == 413


def test_a_refused_line_is_kept_masked_and_not_whole() -> None:
    sent = Doorstep().send(b'{"ip":"203.0.113.9 2001:db8::1"' + b"x" * 70_000, "format=json")
    assert len(sent.lines()[0]) == 4_096
    assert sent.lines()[0].startswith('{"ip":"0.0.0.0 ::"')


def test_addresses_stay_where_the_settings_keep_them() -> None:
    line = b'{"ip":"203.0.113.9"'
    sent = Doorstep(keep_addresses=True, address_precision="full").send(line, "format=json")
    assert sent.lines() == ['{"ip":"203.0.113.9"']
    sent = Doorstep(keep_addresses=True).send(line, "format=json")
    assert sent.lines() == ['{"ip":"0.0.0.0"']


@pytest.mark.parametrize(
    ("address", "kept"), [("203.0.113.9", "203.0.113.0"), ("2001:db8:1:2::3", "2001:db8:1::")]
)
def test_of_a_kept_address_the_network_is_kept(address: str, kept: str) -> None:
    line = b'{"timestamp":%d,"url":"/a.ts","client_ip":"%b"}' % (NOW, address.encode())
    sent = Doorstep(keep_addresses=True).send(line, "format=json")
    assert kept in str(sent.lines()[0])
    assert address not in str(sent.lines()[0])


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("format=json&cdn=own", LINE),
        ("format=cloudfront-realtime&fields=timestamp,cs-uri-stem", b"1765837003\t/a"),
        ("format=cloudfront", b"#Fields: date time cs-uri-stem\n2025-12-15\t22:16:40\t/a"),
    ],
)
async def test_a_line_out_of_quarantine_is_read_as_at_first(query: str, body: bytes) -> None:
    doorstep = Doorstep()
    first = await doorstep.knock(body, query)
    request = Request(
        headers={}, peer="", forwarded=[], secret="", received_at=NOW * 2, is_retried=True
    )
    line = body.split(b"\n")[-1]
    again = await doorstep.door.reread(request, line, first.metas()[0].source)
    assert [entry.body for entry in again] == [entry.body for entry in first.entries]


def test_the_recording_is_taken_whole() -> None:
    sent = Doorstep(now_ms=RECORDED_AT_MS).send(recording())
    assert sent.body == {"ok": True, "accepted": 9, "rejected": [], "rejected_total": 0}
    assert sent.metas()[0].source == "edgecast"


def test_the_recordings_numbers_are_those_counted_by_hand() -> None:
    rows = Doorstep(now_ms=RECORDED_AT_MS).send(recording(), "format=edgecast").rows()
    assert sum(row["status"] >= 400 for row in rows) == 0
    assert sum(row["cache"] == "hit" for row in rows) == 6
    assert sum(row["bytes_out"] for row in rows) == 8_333_435
    assert sum(row["total_ms"] > 200 for row in rows) == 1
    assert median(row["ttfb_ms"] for row in rows if row["cache"] == "miss") == 15.588
    assert sorted(row["pop"] for row in rows) == ["dce"] * 5 + ["mic"] * 4
    owners = {row["owner"] for row in rows if row["owner"]}
    assert owners == {"ba63d50dca2149d9a23b30587c75465d", "e6cf0c55dac249f0a0f72e7c72e6f6cb"}


def test_two_broken_lines_in_the_recording_cost_themselves() -> None:
    lines = recording().splitlines()
    broken = [lines[0][:200], *lines[:4], b'{"timestamp":1}', *lines[4:]]
    sent = Doorstep(now_ms=RECORDED_AT_MS).send(b"\n".join(broken))
    assert (sent.body["accepted"], sent.body["rejected_total"]) == (9, 2)
    assert [one.index for one in sent.refused()] == [0, 5]


def test_lines_read_at_once_are_those_read_one_by_one() -> None:
    lines = recording().splitlines()
    reader = Edgecast(Options())
    at_once = reader.read_all(lines)
    assert at_once is not None
    for found, line in zip(at_once, lines, strict=True):
        expected = reader.read(line)
        names = expected.__struct_fields__
        assert [getattr(found, name) for name in names] == [getattr(expected, n) for n in names]
