"""Causes: the vectors, and that every code is named, explained and told honestly."""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.query.causes import CODES, causes_of
from playhead.query.span import iso

FOLDER = Path(__file__).parents[2] / "vectors" / "causes"
START_MS = 1_790_000_040_000 // 60_000 * 60_000
VECTORS = [
    vector for path in sorted(FOLDER.glob("*.json")) for vector in json.loads(path.read_text())
]
INTERVAL = ("state", "from", "to", "bitrate_kbps", "cdn")
GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "explain-a-view.md"


def at(ms: float) -> str:
    return iso(START_MS + int(ms))


def view_of(vector: dict[str, Any]) -> dict[str, Any]:
    intervals = [dict(zip(INTERVAL, one, strict=True)) for one in vector["intervals"]]
    for one in intervals:
        one |= {"from": at(one["from"]), "to": at(one["to"])}
        one["bitrate_kbps"] = one["bitrate_kbps"] or None
    return {
        "intervals": intervals,
        "events": sorted(
            ({**one, "at": at(one["at"])} for one in vector.get("events", ())),
            key=lambda one: str(one["at"]),
        ),
        "requests": [{**one, "at": at(one["at"])} for one in vector.get("requests", ())],
        "status": vector.get("status", "ended"),
        "stream_type": vector.get("stream_type", "vod"),
        "ended_at": intervals[-1]["to"],
    }


def found_in(vector: dict[str, Any]) -> list[dict[str, Any]]:
    crowds = {
        START_MS + int(minute): {cdn: tuple(pair) for cdn, pair in by_cdn.items()}
        for minute, by_cdn in vector.get("crowds", {}).items()
    }
    return causes_of(view_of(vector), crowds)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_vector(vector: dict[str, Any]) -> None:
    found = found_in(vector)
    told = [(one["what"], one["cause"]["code"], one["cause"]["confidence"]) for one in found]
    assert told == [(one["what"], one["code"], one["confidence"]) for one in vector["expect"]]
    for one, promised in zip(found, vector["expect"], strict=True):
        evidence = {e["field"]: e["value"] for e in one["cause"]["evidence"]}
        assert evidence.items() >= promised.get("evidence", {}).items()
        assert promised.get("says", "") in one["cause"]["sentence"]
        others = [other["code"] for other in one["others"]]
        assert others == promised.get("others", others)


def test_every_code_has_a_vector_and_a_line_in_the_guide() -> None:
    expected = {one["code"] for vector in VECTORS for one in vector["expect"]}
    assert expected == set(CODES)
    guide = GUIDE.read_text()
    assert [code for code in CODES if f"`{code}`" not in guide] == []


def test_names_are_unique() -> None:
    names = sorted(vector["name"] for vector in VECTORS)
    assert [name for name, same in groupby(names) if len(list(same)) > 1] == []


@given(st.data())
def test_any_part_of_what_is_known_gives_one_cause_a_trouble(data: st.DataObject) -> None:
    """Whatever was not reported, each trouble has a cause, and those are in order of sureness."""
    vector = dict(data.draw(st.sampled_from(VECTORS)))
    vector["events"] = [e for e in vector.get("events", ()) if data.draw(st.booleans())]
    found = found_in(vector)
    ranks = ["certain", "likely", "possible"]
    for one in found:
        order = [ranks.index(c["confidence"]) for c in (one["cause"], *one["others"])]
        assert order == sorted(order)
        assert one["cause"]["sentence"].endswith(".")


class Counted(list[dict[str, Any]]):
    """Events that say how often they were gone through."""

    times = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.times += 1
        return super().__iter__()


@pytest.mark.parametrize("stalls", [1, 50])
def test_events_are_not_read_again_for_each_trouble(stalls: int) -> None:
    stalled = [["rebuffering", n * 9_000, n * 9_000 + 500, 0, "a"] for n in range(stalls)]
    view = view_of({"intervals": stalled})
    view["events"] = Counted([{"at": at(100), "kind": "HEARTBEAT"}])
    assert len(causes_of(view)) == stalls
    assert view["events"].times <= 3
