"""The soak can fail: what is lost, doubled, dishonest or growing is seen."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx2
import pytest

from bench.soak import Outcome, verdicts
from bench.soak_book import Book, Found, Promise, Row, Stored, differences, losses
from bench.soak_plan import KILLS_PER_HOUR, PHASES, plan
from bench.soak_report import report_of
from bench.soak_senders import Senders
from bench.soak_server import CLOCK
from bench.soak_watch import Growth, Sample, growth


def stored(**doors: dict[str, Found]) -> Stored:
    views = {key: Row(1, found.count, 0) for key, found in doors.get("telemetry", {}).items()}
    sums = {key: found.count for key, found in doors.get("rows", {}).items()}
    return Stored(doors, views, sums)


def book(**promises: dict[str, Promise]) -> Book:
    return Book(promises=promises)


@pytest.mark.parametrize("count", [40, 60])
def test_a_request_without_an_answer_may_be_there_or_not(count: int) -> None:
    sent = book(telemetry={"v": Promise(40, uncertain=20)})
    assert differences(sent, stored(telemetry={"v": Found(count, count)})) == []
    assert differences(sent, stored(telemetry={"v": Found(count - 1, count - 1)})) != []


@pytest.mark.parametrize(
    "found",
    [Found(39, 39), Found(41, 41), Found(41, 40), Found(0, 0)],
    ids=["lost", "unknown", "doubled", "all lost"],
)
def test_what_is_not_as_it_was_promised_is_said(found: Found) -> None:
    sent = book(cdn={"host": Promise(41, refused=1)})
    assert differences(sent, stored(cdn={"host": Found(40, 40)})) == []
    assert len(differences(sent, stored(cdn={"host": found}))) == 1


def test_rows_of_views_and_sums_are_compared_too() -> None:
    sent = book(telemetry={"v": Promise(20)}, rows={"s": Promise(50)})
    there = stored(telemetry={"v": Found(20, 20)}, rows={"s": Found(50, 50)})
    assert differences(sent, there) == []
    there.views["v"] = Row(2, 40, 0)
    there.summed["s"] = 100
    there.doors["rows"]["stranger"] = Found(0, 0)
    assert len(differences(sent, there)) == 3


@pytest.mark.parametrize(("count", "wrong"), [(19, 1), (20, 0), (60, 0), (61, 1)])
def test_under_load_only_what_went_on_meanwhile_may_differ(count: int, wrong: int) -> None:
    earlier, later = book(rows={"s": Promise(20, 20)}), book(rows={"s": Promise(40, 20)})
    found = stored(rows={"s": Found(count, count)})
    assert len(losses(earlier, found, later)) == wrong
    assert len(losses(earlier, stored(rows={"s": Found(40, 39)}), later)) == 1


def test_an_hour_has_its_kills_and_everything_else() -> None:
    steps = plan(3_600, seed=3)
    kills = Counter(step.value for step in steps if step.action == "kill")
    assert kills.total() == KILLS_PER_HOUR
    assert kills.keys() == {"web", "worker", "store", "children", "supervisor", "tree"}
    at_s = {step.action: step.at_s for step in steps}
    assert 590 < at_s["thaw"] - at_s["freeze"] < 600
    assert [step.phase for step in steps if step.action == "phase"] == [one.name for one in PHASES]
    assert not any(step.phase == "steady" for step in steps if step.action == "kill")


def test_a_steady_run_is_load_alone() -> None:
    assert [step.action for step in plan(600, seed=3, steady=True)] == ["phase", "end"]
    assert plan(600, seed=3, steady=True)[-1] == (600, "steady", "end", "")


def test_a_stopped_store_is_not_killed_by_chance() -> None:
    for seed in range(20):
        hit = {
            step.value
            for step in plan(200, seed)
            if step.phase in {"frozen", "dead"} and step.action == "kill"
        }
        assert hit <= {"web", "worker"}


SENTENCE = {"code": "queue_full", "message": "Later."}


@pytest.mark.parametrize(
    ("answer", "dishonest"),
    [
        (httpx2.Response(200, json={}), 0),
        (httpx2.Response(503, json=SENTENCE, headers={"retry-after": "1"}), 0),
        (httpx2.Response(503, json=SENTENCE), 1),
        (httpx2.Response(503, text="Later.", headers={"retry-after": "1"}), 1),
        (httpx2.Response(500, json=SENTENCE, headers={"retry-after": "1"}), 1),
        (httpx2.Response(404, json=SENTENCE), 1),
    ],
    ids=["taken", "later", "later, but when", "no sentence", "fault", "away"],
)
def test_answers_are_judged(tmp_path: Path, answer: httpx2.Response, dishonest: int) -> None:
    senders = Senders("http://127.0.0.1:1", "token", tmp_path / "book.json", 1)
    senders._seen("rows", answer, 0.1)
    assert senders.book.dishonest_total == dishonest


def test_rows_that_vanish_or_were_never_sent_are_seen(tmp_path: Path) -> None:
    senders = Senders("http://127.0.0.1:1", "token", tmp_path / "book.json", 1)
    senders.book.promises["rows"] = {"s": Promise(50, 50)}
    assert senders._rows_seen(0, 100) == 100
    assert senders.book.dishonest_total == 0
    senders._rows_seen(100, 99)
    senders._rows_seen(99, 101)
    assert senders.book.dishonest_total == 2


def outcome(**changed: object) -> Outcome:
    events = {"equation_holds": True, "dropped": {}}
    flat = Growth("web", 120.0, 100.0, 101.0, 1.0, 3)
    parts: dict[str, object] = {
        "seconds": 60.0, "seed": 1, "code": "abc", "disk": "a disk", "deeds": [],
        "book": book(rows={"s": Promise(50)}), "wrong": {"end": []}, "events": events,
        "growths": [flat], "looks": [], "cpu": {}, "ended": 0, "faults": {},
    }  # fmt: skip
    return Outcome(**(parts | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({}, []),
        ({"wrong": {"end": ["one"]}}, ["nothing acknowledged is lost or doubled"]),
        ({"ended": 1}, ["the server never ends by itself"]),
        ({"book": Book(dishonest_total=1)}, ["every answer is honest"]),
        ({"book": Book(jobs={"f": "error"})}, ["every import that was taken is done"]),
        (
            {"events": {"equation_holds": False, "dropped": {"too_old": 1}}},
            [
                "the equation of /v1/status holds at the end",
                "what was dropped was named in an answer",
            ],
        ),
        ({"growths": [Growth("web", 300.0, 100.0, 190.0, 99.0, 1)]}, ["memory of web is flat"]),
    ],
    ids=["all well", "lost", "ended", "dishonest", "import", "equation", "memory"],
)
def test_one_thing_that_does_not_hold_is_named(
    changed: dict[str, object], broken: list[str]
) -> None:
    found = outcome(**changed)
    assert [one.what for one in verdicts(found) if not one.holds] == broken
    assert report_of(found, "a machine").count("**does not hold**") == len(broken)


def test_memory_that_grows_in_the_last_process_is_seen() -> None:
    before = [Sample(at, "web", 1, 900 * 1024, 0.0) for at in range(0, 50, 5)]
    after = [Sample(at, "web", 2, (100 + at) * 1024, 0.0) for at in range(50, 650, 5)]
    found = growth(before + after, "web", since_s=50)
    assert (found.peak_mb, found.processes) == (900, 2)
    assert round(found.slope_mb_per_h) == 3_600
    assert found.course_mb[0] < found.course_mb[-1] < 750
    assert found.last_mb - found.first_mb > 300


def test_the_clock_of_a_process_can_be_moved(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("-1200")
    command = [
        sys.executable,
        "-c",
        "import time; print(time.time_ns() - time.clock_gettime_ns(0))",
    ]
    env = {**os.environ, "PYTHONPATH": str(CLOCK), "SOAK_CLOCK_FILE": str(file)}
    moved = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert -1_200.1 < int(moved.stdout) / 1e9 < -1_199.9
    del env["SOAK_CLOCK_FILE"]
    still = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert abs(int(still.stdout)) < 1e9
