"""`playhead dev`: a project is built at every save, and the tests of what changed are run."""

import asyncio
import signal
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import FrameType
from typing import Final, NoReturn

import click
import msgspec

from playhead.build.affected import affected_tests
from playhead.build.building import build
from playhead.build.loading import load_fixtures
from playhead.build.target import BuildResult, Target, target_of
from playhead.build.tokens import ensure_tokens
from playhead.cli.build import WAIT_S, project_in
from playhead.cli.dev_server import server_of
from playhead.cli.dev_tests import Tests
from playhead.cli.settings import DATA, arguments_of, fail, load
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.observe import configure_logging
from playhead.project.folder import stamps
from playhead.project.resources import Project
from playhead.runtime.location import location_of
from playhead.store.async_client import AsyncStoreClient

LOOK_EVERY_S: Final = 0.1
"""How often the folder is looked at; a look at a hundred files takes a few milliseconds."""
SETTLED_S: Final = 0.04
"""An editor may write a file in steps: the folder must stay as it is for this long."""
FIXTURES: Final = "fixtures"
NAMES_SHOWN: Final = 3
Stamps = dict[str, tuple[int, int]]


@click.command(name="dev")
@click.option(
    "--project", "folder", default=".", metavar="DIR", help="The project's folder (default: .)."
)
@click.option("--data", metavar="DIR", help=f"The data folder (default: {DATA}).")
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    help="Port of the server, if none runs on the data folder (default: 8700).",
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file of settings.",
)
@click.option("--fixtures", is_flag=True, help="Load fixtures/ into data sources without rows.")
@click.option("--no-tests", is_flag=True, help="Run no tests.")
def command(
    folder: str,
    data: str | None,
    port: int | None,
    config_file: Path | None,
    *,
    fixtures: bool,
    no_tests: bool,
) -> None:
    """Build a project now and at every save, and run the tests of what changed.

    Uses the server of the data folder, or starts one for as long as it runs itself. A file that
    cannot be built is named with line and reason, and what was live stays live. Ctrl-C ends it.
    """
    signal.signal(signal.SIGTERM, _end)
    loaded = load(data, None, port, config_file)
    configure_logging()
    arguments = arguments_of(data, None, port, config_file)
    try:
        project_in(folder)  # a folder without a project is said before anything is started
        with ExitStack() as stack:
            url = stack.enter_context(server_of(loaded.config, arguments))
            click.echo(f"{url}\nWatching {Path(folder).absolute()}; Ctrl-C ends it.")
            tests = None if no_tests else stack.enter_context(Tests())
            asyncio.run(_Dev(folder, loaded.config, tests, fixtures=fixtures).run())
    except PlayheadError as error:
        fail(error, 1)
    except KeyboardInterrupt:
        click.echo("\nStopped; what was built last stays live.")
        sys.exit(0)


class _Dev:
    """One session: builds, and remembers what the folder looked like then."""

    def __init__(self, folder: str, config: Config, tests: Tests | None, *, fixtures: bool) -> None:
        self._folder = folder
        self._config = config
        self._tests = tests
        self._fixtures = fixtures
        self._clock = SystemClock()
        self._seen: Stamps = {}
        self._untested: set[str] = set()
        """What changed while a build failed: its tests run after the next that goes through."""

    async def run(self) -> NoReturn:
        """Build whenever the folder has changed, until cancelled."""
        store = AsyncStoreClient(location_of(self._config))
        try:
            target = await target_of(store, self._config.pipes)
            target = msgspec.structs.replace(target, data_dir=self._config.data_dir)
            while True:
                changed, saved_s = await self._changed()
                await self._round(target, changed, saved_s)
        finally:
            await store.close()

    async def _changed(self) -> tuple[list[str], float]:
        """Wait for a change; return the paths concerned, and when it was seen (monotonic)."""
        while True:
            now = await asyncio.to_thread(stamps, Path(self._folder))
            if now != self._seen:
                seen_s = time.monotonic()
                await asyncio.sleep(SETTLED_S)
                if await asyncio.to_thread(stamps, Path(self._folder)) == now:
                    every = now.keys() | self._seen.keys()
                    found = sorted(one for one in every if now.get(one) != self._seen.get(one))
                    self._seen = now
                    return found, seen_s
            await asyncio.sleep(LOOK_EVERY_S)

    async def _round(self, target: Target, changed: list[str], saved_s: float) -> None:
        at = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).astimezone()
        click.echo(f"\n{at:%H:%M:%S}  {_shown(changed)}")
        try:
            project = await asyncio.to_thread(project_in, self._folder)
            result = await build(project, target, self._clock, wait_s=WAIT_S)
            if not result.problems:
                await self._finish(result, target)
        except PlayheadError as error:
            click.secho(f"  {error.message}", fg="red")
            return
        self._say(result, time.monotonic() - saved_s)
        self._untested |= _names(project, result, changed)
        if not result.problems and self._tests is not None:
            chosen = affected_tests(project, self._untested)
            self._untested = set()
            await self._tests.run(project, chosen)

    async def _finish(self, result: BuildResult, target: Target) -> None:
        """Make the tokens the files name, and load fixtures if that is wanted."""
        ensure_tokens(result.project, self._config.data_dir, self._clock)
        if self._fixtures:
            at_s = self._clock.now_ms() // 1000
            loaded = await load_fixtures(result.project, target, at_s=at_s)
            for line in (*loaded.warnings, *loaded.changes):
                click.echo(f"  {line}")

    def _say(self, result: BuildResult, took_s: float) -> None:
        for warning in result.warnings:
            click.secho(f"  {warning}", fg="yellow")
        for problem in result.problems:
            click.secho(f"  {problem}", fg="red")
        if result.problems:
            count = len(result.problems)
            what = "1 resource" if count == 1 else f"{count} resources"
            click.secho(f"  {what} cannot be built; what was live stays live.", fg="red")
            return
        for change in result.changes:
            click.echo(f"  {change}")
        done = "live" if result.changes else "nothing to build"
        click.secho(f"  {done} after {took_s:.2f} s", fg="green")


def _shown(changed: list[str]) -> str:
    more = len(changed) - NAMES_SHOWN
    return ", ".join(changed[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _names(project: Project, result: BuildResult, changed: list[str]) -> set[str]:
    """Return what a round concerns: what was changed by the build, tests, and data of fixtures."""
    found = {change.name for change in result.changes}
    for path in changed:
        found.add(path if path in project.tests else PurePosixPath(path).name.partition(".")[0])
    return found


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
