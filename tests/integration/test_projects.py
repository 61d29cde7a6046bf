"""Whole projects, both dialects: tested, built, built again, and asked over HTTP."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from conformance.truth.rows import PROJECTS
from playhead.project.case import Case
from playhead.project.cases import read_cases
from playhead.project.comparison import difference
from playhead.project.folder import read_project
from playhead.project.shipped import DEFAULT, shipped
from support.server import Server


class Whole(NamedTuple):
    """A project, the time its tests are of, and what does not depend on time."""

    name: str
    now: str
    passed: int
    asked_any_time: frozenset[str] = frozenset()
    """Pipes whose answers do not change with the clock: neither now() nor a TTL is below them."""


LIVE_EVENT = Whole(
    "live_event", "2026-05-16T21:30:00Z", 27, frozenset({"hours", "ad_revenue", "session_list"})
)
OTT_APP = Whole(
    "ott_app",
    "2025-11-03T08:00:00Z",
    15,
    frozenset(
        {"kpis", "trend", "top_titles", "genres", "continue_watching", "search_titles"}
        | {"device_share", "retention"}
    ),
)
LECTURES = Whole(
    "lectures",
    "2026-02-10T12:00:00Z",
    26,
    frozenset({"course_calendar", "student_progress", "quiz_scores", "quiz_spread"}),
)
WHOLE = (LIVE_EVENT, OTT_APP, LECTURES)


def folder(name: str) -> Path:
    return PROJECTS / name


def playhead(project: Path, *words: str) -> tuple[int, list[str]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
    done = subprocess.run(
        [sys.executable, "-m", "playhead", *words],
        cwd=project, env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).splitlines()


def cases(whole: Whole) -> list[Case]:
    """Every case of a project's test files, as the runner reads them."""
    root = folder(whole.name)
    found: list[Case] = []
    for path in read_project(root).tests:
        result = root / f"{path}.result"
        expected = result.read_text("utf-8") if result.exists() else None
        found += read_cases((root / path).read_text("utf-8"), path=path, result=expected)
    return found


@pytest.mark.parametrize("whole", WHOLE, ids=lambda whole: whole.name)
def test_every_test_of_the_project_passes(whole: Whole) -> None:
    code, lines = playhead(folder(whole.name), "test", "run", "--now", whole.now)
    assert lines[-1] == f"{whole.passed} passed, 0 failed", lines
    assert (code, len(cases(whole))) == (0, whole.passed)


@pytest.mark.parametrize("whole", WHOLE, ids=lambda whole: whole.name)
def test_its_results_are_those_of_plain_arithmetic(whole: Whole) -> None:
    truth = importlib.import_module(f"conformance.truth.{whole.name}").answers()
    said = {
        (Path(case.path).stem, case.name): case.expected.strip("\n")
        for case in cases(whole)
        if case.kind != "quality" and case.status is None
    }
    assert {name: text.strip("\n") for name, text in truth.items()} == said
    assert len(said) >= 11


def test_the_project_that_ships_passes_its_tests() -> None:
    code, lines = playhead(shipped(DEFAULT), "test", "run")
    assert code == 0, lines
    assert lines[-1].endswith(" passed, 0 failed")


@pytest.mark.parametrize(
    ("whole", "path", "right", "wrong"),
    [
        (LECTURES, "tests/speeds.yaml", '"at_1.25":', '"at_1.26":'),
        (OTT_APP, "tests/genres.test.result", '"drama"', '"opera"'),
    ],
    ids=["forward", "classic"],
)
def test_one_wrong_result_fails(
    whole: Whole, path: str, right: str, wrong: str, tmp_path: Path
) -> None:
    project = tmp_path / whole.name
    shutil.copytree(folder(whole.name), project)
    text = (project / path).read_text("utf-8")
    (project / path).write_text(text.replace(right, wrong, 1), "utf-8")
    code, lines = playhead(project, "test", "run", "--now", whole.now)
    assert (code, lines[-1]) == (1, f"{whole.passed - 1} passed, 1 failed")
    assert len([line for line in lines if line.startswith("FAILED ")]) == 1


class Served(NamedTuple):
    """A project that was built into a server's folder twice."""

    whole: Whole
    server: Server
    first: tuple[int, list[str]]
    again: tuple[int, list[str]]


@pytest.fixture(scope="module", params=WHOLE, ids=lambda whole: whole.name)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    whole: Whole = request.param
    with Server(tmp_path_factory.mktemp(whole.name) / "playhead-data") as server:
        words = ("build", "--data", str(server.data), "--fixtures")
        project = folder(whole.name)
        yield Served(whole, server, playhead(project, *words), playhead(project, *words))


def test_built_again_nothing_changes(served: Served) -> None:
    assert served.first[0] == 0, served.first[1]
    assert (served.again[0], served.again[1][-1].split(": ")[-1]) == (0, "nothing changed.")


def test_a_running_server_answers_as_the_tests_expect(served: Served) -> None:
    some = [
        case
        for case in cases(served.whole)
        if case.requests and case.requests[0].pipe in served.whole.asked_any_time
    ]
    differences = {case.name: difference(case, *asked(served.server, case)) for case in some}
    assert {name: said for name, said in differences.items() if said} == {}
    assert {case.requests[0].pipe for case in some} == served.whole.asked_any_time


def asked(server: Server, case: Case) -> tuple[int, str]:
    """What the server answers to a case: the highest status, and the texts one after the other."""
    answers = [
        server.http.get(
            f"{server.url}/v0/pipes/{request.pipe}.{request.format}",
            params={**request.parameters, **({"q": request.sql} if request.sql else {})},
            headers={"Authorization": f"Bearer {server.token}"},
        )
        for request in case.requests
    ]
    status = max(answer.status_code for answer in answers)
    return status, "\n".join(answer.text.rstrip("\n") for answer in answers)
