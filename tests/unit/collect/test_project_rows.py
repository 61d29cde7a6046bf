import asyncio
from typing import Any

import msgspec

from playhead.collect import project_rows
from playhead.collect.items import ROW_MAX_BYTES
from playhead.collect.project_rows import Taken, taken
from playhead.collect.sources import ProjectSource
from playhead.log.base import Entry
from playhead.model.event import Into
from playhead.project.resources import Column, Datasource
from playhead.project.rows import RowReader

COLUMNS = (Column(name="viewer", type="String"), Column(name="n", type="UInt8"))
SOURCE = ProjectSource("plays", RowReader(Datasource(name="plays", path="p", columns=COLUMNS)))


def entry(into: Into, body: bytes, rows: int) -> Entry:
    return Entry("events", SOURCE.key, rows, msgspec.json.encode(into), body)


def take(*rows: Any) -> Taken:
    items = [one if isinstance(one, bytes) else msgspec.json.encode(one) for one in rows]
    return asyncio.run(taken(items, SOURCE, entry, at_ms=5_000, import_id="abc"))


def test_good_rows_and_refused_ones_are_entries_of_their_own() -> None:
    done = take(
        {"viewer": "ana", "n": 1}, {"viewer": "bo", "n": 256}, b"{", {"viewer": "cy", "n": "2"}
    )
    assert (done.stored, done.refused, done.columns) == (2, 2, {"n": 1, "": 1})
    good, bad = done.entries
    assert good.body == b'["ana",1]\n["cy",2]\n'
    assert [msgspec.json.decode(line)[:2] for line in bad.body.splitlines()] == [
        ["bo", "256"],
        [None, None],
    ]
    assert msgspec.json.decode(bad.meta, type=Into).quarantine


def test_refused_rows_name_the_request_and_its_time() -> None:
    [bad] = take({"n": 1}).entries
    assert msgspec.json.decode(bad.body)[2:] == [
        ["viewer"],
        ["column 'viewer' has no value, no DEFAULT, and is not Nullable (String)"],
        "abc",
        5,
    ]
    assert bad.events == 1


def test_a_record_of_the_log_has_a_named_size() -> None:
    done = take(*[{"viewer": "ana", "n": 1}] * (project_rows.RECORD_ROWS_MAX + 1))
    assert [one.events for one in done.entries] == [project_rows.RECORD_ROWS_MAX, 1]
    assert done.stored == project_rows.RECORD_ROWS_MAX + 1


def test_a_row_that_is_too_large_costs_only_itself() -> None:
    large = msgspec.json.encode({"viewer": "a" * ROW_MAX_BYTES, "n": 1})
    done = take({"viewer": "ana", "n": 1}, large)
    assert (done.stored, done.refused) == (1, 1)
    assert len(done.entries[1].body) < 1_000
