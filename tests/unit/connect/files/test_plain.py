from pathlib import Path

import pytest

from playhead.connect.files.kind import Kind
from playhead.connect.files.lines import Lines, Source, find
from playhead.connect.files.plain import preamble, records, ts_of, with_ts
from playhead.connect.files.record import Record


def source_of(folder: Path, text: bytes) -> Source:
    (folder / "a.log").write_bytes(text)
    return find([str(folder / "a.log")])[0]


def read(folder: Path, kind: Kind, text: bytes) -> list[Record]:
    source = source_of(folder, text)
    return list(records(kind, source, 0, Lines(source)))


def test_an_event_keeps_its_id_and_gets_one_if_it_has_none(tmp_path: Path) -> None:
    text = b'{"eventId":"own","timestamp":5}\n{"timestamp":"6"}\n'
    own, made = read(tmp_path, Kind.TELEMETRY, text)
    assert (own.event or {})["eventId"] == "own"
    assert len((made.event or {})["eventId"]) == 32
    assert (own.at_ms, made.at_ms) == (5, 6)


def test_a_line_of_several_events_is_done_with_the_last(tmp_path: Path) -> None:
    found = read(tmp_path, Kind.TELEMETRY, b'[{"timestamp":1},{"timestamp":2}]\n')
    assert [(one.line, one.ordinal) for one in found] == [(1, 0), (1, 1)]
    assert len({(one.event or {})["eventId"] for one in found}) == 2


@pytest.mark.parametrize("line", [b"{bad", b"3", b'{"a":1} x', b'{"a":"\xff"}', b"[" * 100_000])
def test_a_broken_line_is_refused_and_the_next_is_read(tmp_path: Path, line: bytes) -> None:
    bad, good = read(tmp_path, Kind.TELEMETRY, line + b"\n{}\n")
    assert (bad.code, bad.line, good.code) == ("invalid_line", 1, "")


def test_comments_of_a_log_are_no_lines_but_go_with_every_batch(tmp_path: Path) -> None:
    source = source_of(tmp_path, b"#Version: 1\n#Fields: a\n\none\n# two\nthree\n")
    found = records(Kind.CDN, source, 0, Lines(source))
    assert [(one.line, one.text) for one in found] == [(4, b"one"), (6, b"three")]
    assert preamble(source) == b"#Version: 1\n#Fields: a\n"


@pytest.mark.parametrize(
    ("record", "at_ms", "moved"),
    [
        (b"e=t,ts=100,v=2", 100, b"e=t,ts=105,v=2"),
        (b"e=t, ts=100", 100, b"e=t, ts=105"),
        (b'sid="ts=1",v=2', None, b'sid="ts=1",v=2'),
        (b"ts=x", None, b"ts=x"),
    ],
)
def test_the_time_of_a_cmcd_record(record: bytes, at_ms: int | None, moved: bytes) -> None:
    assert ts_of(record) == at_ms
    assert with_ts(record, 5) == moved
