"""Whole small projects: files in, what a build says of them and what the endpoints answer.

Keys of a case: `files` (relative path to text); `again` (a list of further builds: files that
change, null removes one); `problems`, `warnings`, `changes` (every line that is said, or with `~`
in front a part of one; lists in any order); `now`; `live` (build as `playhead build` does; else as
`playhead test run`, with fixtures and expiry); `answers` (`pipe` or `sql`, `params`, `format`,
`status`, `text`); `tests` (N passed, M failed) and `failed` (names of cases),
`said` (why they failed).
"""

import asyncio
import itertools
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playhead.build.asking import Desk
from playhead.build.building import build
from playhead.build.loading import load_fixtures
from playhead.build.tables import drop_database
from playhead.build.target import BuildResult, Target
from playhead.build.trial import Trial
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.project.case import Request
from playhead.project.cases import parameters_of
from playhead.project.folder import read_project
from playhead.project.resources import Project
from playhead.query.guard.functions import function_list
from playhead.query.guard.trees import Trees
from playhead.store.async_client import AsyncStoreClient
from support.running_store import RunningStore

_NUMBERS = itertools.count()
_STORE: list[tuple[RunningStore, tempfile.TemporaryDirectory[str]]] = []


def run(case: dict[str, Any]) -> None:
    """Build the project of a case, and look."""
    asyncio.run(_run(case))


def close() -> None:
    """End the store."""
    while _STORE:
        store, folder = _STORE.pop()
        store.end()
        folder.cleanup()


def _store() -> RunningStore:
    if not _STORE:
        folder = tempfile.TemporaryDirectory(prefix="playhead-conformance-")
        _STORE.append((RunningStore(Path(folder.name), {}), folder))
    return _STORE[0][0]


async def _run(case: dict[str, Any]) -> None:
    store = AsyncStoreClient(_store().location)
    database = f"case{next(_NUMBERS)}"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        root.mkdir()
        live = bool(case.get("live"))
        now = case.get("now")
        target = Target(
            store=store,
            trees=Trees(store, entries_max=500),
            functions=await function_list(store),
            database=database,
            data_dir=Path(folder) / "data" if live else None,
            clock_ms=_ms(str(now)) if now else None,
            keeps_expired=not live,
            partial=not live,
        )
        try:
            _write(root, case["files"])
            result, trial = await _built(read_project(root), target)
            for step in case.get("again", ()):
                _look_at(step.get("before", {}), result)
                _write(root, step["files"])
                result, trial = await _built(read_project(root), target)
            _look_at(case, result)
            await _ask(case, result.project, target)
            await _try(case, trial)
        finally:
            await drop_database(store, database)
            await store.close()


def _write(root: Path, files: dict[str, str | None]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


async def _built(project: Project, target: Target) -> tuple[BuildResult, Trial]:
    clock = SystemClock()
    trial = Trial(project, target, Config(), clock)
    if target.partial:
        return await trial.prepare(), trial
    result = await build(project, target, clock)
    if not result.problems:
        await load_fixtures(result.project, target)
    return result, trial


def _look_at(wanted: dict[str, Any], result: BuildResult) -> None:
    for key, found in (
        ("problems", result.problems),
        ("warnings", result.warnings),
        ("changes", result.changes),
    ):
        lines = [str(one) for one in found]
        if key not in wanted:
            assert key != "problems" or not lines, lines
            continue
        expected = list(wanted[key])
        assert len(lines) == len(expected), f"{key}: {lines}"
        for line in expected:
            part = line.removeprefix("~")
            same = [one for one in lines if (part in one if line.startswith("~") else part == one)]
            assert same, f"{key}: {line!r} is not in {lines}"


async def _ask(case: dict[str, Any], project: Project, target: Target) -> None:
    resolver = target.resolver(project, target.database)
    desk = Desk(project, resolver, target.store, Config(), SystemClock())
    for wanted in case.get("answers", ()):
        answer = await desk.answer(
            Request(
                pipe=wanted.get("pipe", ""),
                sql=wanted.get("sql", ""),
                pipeline=wanted.get("pipeline", ""),
                parameters=parameters_of(wanted.get("params", "")),
                format=wanted.get("format", "ndjson"),
            )
        )
        assert answer.status == wanted.get("status", 200), answer
        if "text" in wanted:
            assert answer.text.rstrip("\n") == wanted["text"].rstrip("\n"), answer.text
        if "part" in wanted:
            assert wanted["part"] in answer.text, answer.text


async def _try(case: dict[str, Any], trial: Trial) -> None:
    if "tests" not in case:
        return
    verdicts = [verdict async for verdict in trial.verdicts()]
    failed = [verdict.case.name for verdict in verdicts if verdict.difference]
    said = f"{len(verdicts) - len(failed)} passed, {len(failed)} failed"
    assert said == case["tests"], [(one.case.name, one.difference) for one in verdicts]
    assert failed == case.get("failed", []), failed
    if "said" in case:
        differences = [one.difference for one in verdicts if one.difference]
        assert differences == case["said"], differences


def _ms(text: str) -> int:
    found = datetime.fromisoformat(text)
    return round(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1000)
