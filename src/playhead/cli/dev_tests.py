"""The tests that `playhead dev` runs, in a store of their own that lives as long as it does."""

import asyncio
import tempfile
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

import click
import msgspec

from playhead.build.tables import drop_database
from playhead.build.target import DATABASE, target_of
from playhead.build.trial import Trial, Verdict
from playhead.cli.settings import load
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.project.resources import Project
from playhead.runtime.store_process import store_of
from playhead.store.async_client import AsyncStoreClient
from playhead.store.location import Location

LINES_SHOWN: Final = 12
"""Lines of a difference; 'playhead test run FILE' shows them all."""


class Tests:
    """Runs a project's tests as `playhead test run` does: nothing of it touches the data folder.

    The store starts with the first test there is.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._started: tuple[Config, Location] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    async def run(self, project: Project, files: list[str]) -> None:
        """Run test files and print what came of them; () prints nothing."""
        if not files:
            return
        began_s = time.monotonic()
        try:
            config, location = await asyncio.to_thread(self._start)
            failed, passed = await self._failed(project, files, config, location)
        except PlayheadError as error:
            click.secho(f"  The tests could not be run: {error.message}", fg="red")
            return
        for verdict in failed:
            _say(verdict)
        took_s = time.monotonic() - began_s
        colour = "red" if failed else "green"
        counts = f"{passed} passed, {len(failed)} failed"
        files_said = "1 file" if len(files) == 1 else f"{len(files)} files"
        click.secho(f"  tests: {counts} ({files_said}, {took_s:.2f} s)", fg=colour)

    async def _failed(
        self, project: Project, files: list[str], config: Config, location: Location
    ) -> tuple[list[Verdict], int]:
        """Return the cases that failed, and how many passed."""
        store = AsyncStoreClient(location)
        passed, failed = 0, []
        try:
            target = await target_of(store, config.pipes)
            target = msgspec.structs.replace(target, keeps_expired=True, partial=True)
            await drop_database(store, DATABASE)
            trial = Trial(project, target, config, SystemClock())
            await trial.prepare()
            paths = [f"{project.root}/{path}" for path in files]
            async for verdict in trial.verdicts(paths):
                if verdict.difference:
                    failed.append(verdict)
                else:
                    passed += 1
        finally:
            await store.close()
        return failed, passed

    def _start(self) -> tuple[Config, Location]:
        if self._started is None:
            data = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="playhead-dev-"))
            config = load(data, None, None, None).config
            location = self._stack.enter_context(store_of(config, ["--data", data]))
            self._started = config, location
        return self._started


def _say(verdict: Verdict) -> None:
    click.secho(f"  FAILED {verdict.case.path}: {verdict.case.name}", fg="red")
    lines = verdict.difference.splitlines()
    for line in lines[:LINES_SHOWN]:
        click.echo(f"      {line}")
    if len(lines) > LINES_SHOWN:
        click.echo(f"      … {len(lines) - LINES_SHOWN} more lines")
