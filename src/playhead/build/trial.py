"""A test run: a fresh workspace, its fixtures, and every test of the project."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from playhead.build.asking import Answer, Desk
from playhead.build.building import build
from playhead.build.definition import quoted
from playhead.build.loading import load_fixtures
from playhead.build.target import BuildResult, Target
from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import Unavailable
from playhead.project.case import Case
from playhead.project.cases import read_cases
from playhead.project.comparison import difference
from playhead.project.problem import Problem
from playhead.project.resources import Project
from playhead.project.ttl import expired

FAILED: Final = 400
TEST_BYTES_MAX: Final = 64 * 1024 * 1024
"""Largest file of tests, and of expected results."""
_KINDS: Final = {".pipe": "pipe", ".datasource": "data source"}
_WORD: Final = re.compile(r"\w+")


class Verdict(msgspec.Struct, frozen=True):
    """One test case, run."""

    case: Case
    difference: str = ""
    """What is not as it should be, in lines; "" = it passed."""


class Trial:
    """One test run over a store of its own.

    `target` is partial and keeps expired rows: a resource that cannot be built costs its own
    tests only, and rows end by the run's clock, not the machine's.
    """

    def __init__(self, project: Project, target: Target, config: Config, clock: Clock) -> None:
        self._project = project
        self._target = target
        self._config = config
        self._clock = clock
        broken = {Path(problem.file).stem for problem in project.problems}
        self._named = {*project.pipes, *project.aliases, *broken}
        self._failed: dict[str, str] = {}
        """What could not be built, by name: "pipe" or "data source"."""

    async def prepare(self) -> BuildResult:
        """Build, load the fixtures, remove what has expired; return what was found on the way."""
        at_ms = self._target.clock_ms
        if at_ms is None:
            at_ms = self._clock.now_ms()
        result = await build(self._project, self._target, self._clock)
        self._failed = _failed(self._project, result)
        self._project = result.project
        loaded = await load_fixtures(result.project, self._target, at_s=at_ms // 1000)
        await self._expire(at_ms)
        return msgspec.structs.replace(
            result,
            warnings=(*result.warnings, *loaded.warnings),
            changes=(*result.changes, *loaded.changes),
        )

    async def verdicts(self, files: Sequence[str] = ()) -> AsyncIterator[Verdict]:
        """Run the tests file by file and yield each case as it is judged.

        Args:
            files: Which, as the project names them or as paths; () = all.
        """
        resolver = self._target.resolver(self._project, self._target.database)
        desk = Desk(self._project, resolver, self._target.store, self._config, self._clock)
        for path in _chosen(self._project, files):
            for case in self._cases(path):
                if self._is_skipped(case):
                    continue
                yield self._explained(await _judged(case, desk))

    def _cases(self, path: str) -> tuple[Case, ...]:
        root = Path(self._project.root)
        text = _read(root / path)
        result: str | None = None
        if path.endswith(".test"):
            expected = root / f"{path}.result"
            result = _read(expected) if expected.is_file() else None
        return read_cases(text, path=path, result=result)

    def _is_skipped(self, case: Case) -> bool:
        """Return whether a case is about a pipe the project never had: such a file is skipped."""
        if case.kind != "forward" or not case.requests or case.problem:
            return False
        pipe = case.requests[0].pipe
        return pipe not in self._named

    def _explained(self, verdict: Verdict) -> Verdict:
        """Say of a case that failed that what it asks is not there because it cannot be built."""
        if not verdict.difference or verdict.case.problem:
            return verdict
        for name, is_sure in _asked(verdict.case):
            kind = self._failed.get(self._project.aliases.get(name, name))
            if kind and (is_sure or _is_missed(name, verdict.difference)):
                said = f"The {kind} '{name}' cannot be built (see above)."
                return Verdict(verdict.case, said)
        return verdict

    async def _expire(self, at_ms: int) -> None:
        for source in self._project.datasources.values():
            condition = expired(source.engine.ttl, at_ms)
            if condition and source.engine.kind != "Null":
                table = f"{quoted(self._target.database)}.{quoted(source.name)}"
                await self._target.store.command(
                    f"ALTER TABLE {table} DELETE WHERE {condition}",
                    settings={"mutations_sync": "1"},
                )


def _failed(project: Project, result: BuildResult) -> dict[str, str]:
    """Return what of a project a build could not make: names and kinds."""
    built = result.project
    failed = {name: "pipe" for name in project.pipes if name not in built.pipes}
    failed |= {n: "data source" for n in project.datasources if n not in built.datasources}
    for problem in result.problems:
        path = Path(problem.file)
        if path.suffix in _KINDS:
            failed.setdefault(path.stem, _KINDS[path.suffix])
    return failed


def _asked(case: Case) -> list[tuple[str, bool]]:
    """Return the names a case asks for, surely its pipes, perhaps every word of its SQL."""
    pipes = [(name, True) for one in case.requests for name in (one.pipe, one.pipeline) if name]
    return pipes + [(w, False) for one in case.requests for w in _WORD.findall(one.sql)]


def _is_missed(name: str, difference: str) -> bool:
    """Return whether an answer was that there is nothing of this name."""
    return "There is no " in difference and name in _WORD.findall(difference)


async def _judged(case: Case, desk: Desk) -> Verdict:
    if case.problem:
        return Verdict(case, case.problem)
    status, texts = 0, []
    for request in case.requests:
        answer: Answer = await desk.answer(request)
        if answer.status == Unavailable.status:
            return Verdict(case, answer.text)
        texts.append(answer.text)
        status = max(status, answer.status)
        if answer.status >= FAILED:
            texts = [answer.text]
            break
    return Verdict(case, difference(case, status, "".join(texts)))


def _chosen(project: Project, files: Sequence[str]) -> list[str]:
    """Return the test files to run; a name that is none of them is left for the caller to say."""
    if not files:
        return list(project.tests)
    root = Path(project.root).resolve()
    wanted = {Path(file).resolve() for file in files} | {(root / file).resolve() for file in files}
    return [path for path in project.tests if (root / path).resolve() in wanted]


def unknown_files(project: Project, files: Sequence[str]) -> list[Problem]:
    """Return a problem for each file asked for that is no test of the project."""
    return [
        Problem(file, "is no test file of this project.")
        for file in files
        if not _chosen(project, [file])
    ]


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(TEST_BYTES_MAX).decode("utf-8", "replace")
