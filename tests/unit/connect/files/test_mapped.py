from pathlib import Path
from typing import Any

import pytest

from playhead.connect.files import mapping
from playhead.connect.files.lines import Lines, find
from playhead.connect.files.mapped import Mapped
from playhead.connect.files.record import Record
from playhead.errors import ConfigInvalid, InvalidRequest

MAPPING = """name = "m"
numbered = true
[time]
column = "t"
unit = "s"
relative = true
[fields]
viewId = "{stem}"
[[row]]
type = "QUALITY_CHANGE"
when = { kbps = { changed = true } }
fields.quality.bitrateKbps = { from = "kbps" }
[[row]]
type = "HEARTBEAT"
"""
STEPS = """name = "m"
[time]
step = { from = "long", unit = "s" }
lead = 500
[[first]]
type = "PLAY"
[[row]]
type = "HEARTBEAT"
fields.playbackPositionSec = { from = "elapsed_ms", unit = "ms" }
[[last]]
type = "ENDED"
fields.playbackPositionSec = { from = "elapsed_ms", unit = "ms" }
"""


def records(folder: Path, text: str, table: str, name: str = "view.csv") -> list[Record]:
    (folder / "m.toml").write_text(text)
    (folder / name).write_text(table)
    [source] = find([str(folder / name)])
    read = mapping.load(folder / "m.toml")
    return list(Mapped(read, source, 0).records(Lines(source)))


def told(found: list[Record], *names: str) -> list[tuple[Any, ...]]:
    events = [(one.at_ms, one.event or {}) for one in found]
    return [(at, *(event.get(name) for name in names)) for at, event in events]


def test_rows_become_the_events_of_the_first_rule_that_holds(tmp_path: Path) -> None:
    found = records(tmp_path, MAPPING, "t,kbps\n0,1\n2,1\n4,2\n")
    assert told(found, "eventType", "seq", "viewId") == [
        (0, "HEARTBEAT", 0, "view"),
        (2_000, "HEARTBEAT", 1, "view"),
        (4_000, "QUALITY_CHANGE", 2, "view"),
    ]
    assert (found[2].event or {})["quality"] == {"bitrateKbps": 2}


def test_steps_follow_each_other_and_have_a_beginning_and_an_end(tmp_path: Path) -> None:
    found = records(tmp_path, STEPS, "long\n4\n2\n")
    assert told(found, "eventType", "playbackPositionSec") == [
        (0, "PLAY", None),
        (500, "HEARTBEAT", 0),
        (4_500, "HEARTBEAT", 4),
        (6_500, "ENDED", 6),
    ]


def test_also_goes_on_with_the_next_rule(tmp_path: Path) -> None:
    text = MAPPING.replace('type = "QUALITY_CHANGE"', 'type = "QUALITY_CHANGE"\nalso = true')
    found = records(tmp_path, text, "t,kbps\n0,1\n2,2\n")
    assert [(one.event or {})["eventType"] for one in found[1:]] == ["QUALITY_CHANGE", "HEARTBEAT"]


def test_gaps_get_heartbeats(tmp_path: Path) -> None:
    found = records(tmp_path, "heartbeat_ms = 1000\n" + MAPPING, "t,kbps\n0,1\n3,1\n")
    assert [one.at_ms for one in found] == [0, 1_000, 2_000, 3_000]


def test_ids_are_the_same_again_and_differ_from_each_other(tmp_path: Path) -> None:
    first, again = (records(tmp_path, STEPS, "long\n4\n2\n") for _ in range(2))
    ids = [(one.event or {})["eventId"] for one in first]
    assert ids == [(one.event or {})["eventId"] for one in again]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x,1", "'x' is no number"),
        (",1", "is no number"),
        ("1e30,1", "is no time"),
        ("1", "1 cells"),
        ("1,x", "'kbps'"),
        ('1,"x', "no CSV"),
        ("1,\0", "no text"),
    ],
)
def test_a_row_that_cannot_be_mapped_is_named_and_the_rest_goes_on(
    tmp_path: Path, row: str, said: str
) -> None:
    end = "" if '"' in row else "\n9,7\n"
    _, bad, *rest = records(tmp_path, MAPPING, f"t,kbps\n0,1\n{row}{end}")
    assert (bad.line, bad.code) == (3, "invalid_row")
    assert said in bad.message
    assert [one.at_ms for one in rest] == ([9_000] if end else [])


def test_quoted_cells_may_hold_line_ends(tmp_path: Path) -> None:
    text = MAPPING.replace("[fields]", '[fields]\ncustom.note = "{note}"')
    found = records(tmp_path, text, 't,kbps,note\n0,1,"a\nb"\n1,1,c\n')
    assert [(one.line, (one.event or {})["custom"]["note"]) for one in found] == [
        (3, "a\nb"),
        (4, "c"),
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("t,other\n", "m.toml, line 11: there is no column 'kbps'"),
        ("t,kbps,more\n", "the column 'more' of .*view.csv, line 1, is neither used"),
    ],
)
def test_other_columns_are_refused(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said):
        records(tmp_path, MAPPING, table + "0,1\n")


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="a column twice"):
        records(tmp_path, MAPPING, "t,kbps,t\n")


def test_a_name_that_does_not_fit_the_pattern_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="does not match"):
        records(tmp_path, "pattern = '^\\d+'\n" + MAPPING, "t,kbps\n")


def test_rows_of_a_data_source_are_plain(tmp_path: Path) -> None:
    text = (
        'name = "m"\ninto = "stream_frames"\n[time]\ncolumn = "t"\nunit = "iso"\n'
        '[[row]]\nfields = { streamId = "{s}", fps = { from = "f", as = "number" } }\n'
    )
    [one] = records(tmp_path, text, "t,s,f\n1970-01-01T00:00:02Z,a,25\n")
    assert (one.at_ms, one.event) == (2_000, {"streamId": "a", "fps": 25})
