"""`playhead test`: a project's tests, in a workspace that is made for them and removed."""

import asyncio
import signal
import sys
import tempfile
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn

import click
import msgspec

from playhead.build.target import BuildResult, target_of
from playhead.build.trial import Trial, Verdict, unknown_files
from playhead.cli.build import project_in
from playhead.cli.settings import fail, load
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import InvalidRequest, PlayheadError
from playhead.observe import configure_logging
from playhead.project.resources import Project
from playhead.runtime.store_process import store_of
from playhead.store.async_client import AsyncStoreClient
from playhead.store.location import Location

INTERRUPTED = 130


@click.group(name="test")
def command() -> None:
    """Run a project's tests."""


@command.command(name="run")
@click.option(
    "--project", "folder", default=".", metavar="DIR", help="The project's folder (default: .)."
)
@click.option(
    "--now",
    metavar="TIME",
    help="Stop the clock at this time, as 2025-07-01T12:00:00Z: now(), today(), TTLs.",
)
@click.argument("files", nargs=-1, metavar="[FILE]...")
def run(folder: str, now: str | None, files: tuple[str, ...]) -> None:
    """Build a fresh workspace, load the fixtures, run every test (or those of FILE…).

    The last line is `N passed, M failed`; the exit code is 1 when one failed or a resource cannot
    be built. Nothing of it touches a data folder.
    """
    signal.signal(signal.SIGTERM, _end)
    try:
        clock_ms = None if now is None else moment_ms(now)
        project = project_in(folder)
        unknown = unknown_files(project, files)
        if unknown:
            raise InvalidRequest(
                "\n".join(f"{one.file} {one.message}" for one in unknown),
                hint="Tests are .yaml, .yml and .test files below a folder 'tests' of the project.",
            )
        with tempfile.TemporaryDirectory(prefix="playhead-test-") as data:
            loaded = load(data, None, None, None)
            configure_logging()
            with store_of(loaded.config, ["--data", data]) as location:
                code = asyncio.run(_run(project, loaded.config, location, clock_ms, files))
    except PlayheadError as error:
        fail(error, 1)
    except KeyboardInterrupt:
        click.echo("playhead: stopped; the workspace is removed.", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(code)


def moment_ms(text: str, option: str = "--now") -> int:
    """Return an ISO time as UTC milliseconds; without a zone it is UTC.

    Raises:
        InvalidRequest: It is no time; the sentence names the option.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(
            f"{option} is no time: {text}", hint="Write it as 2025-07-01T12:00:00Z."
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1000)


async def _run(
    project: Project,
    config: Config,
    location: Location,
    clock_ms: int | None,
    files: tuple[str, ...],
) -> int:
    store = AsyncStoreClient(location)
    try:
        target = await target_of(store, config.pipes)
        target = msgspec.structs.replace(
            target, clock_ms=clock_ms, keeps_expired=True, partial=True
        )
        trial = Trial(project, target, config, SystemClock())
        result = await trial.prepare()
        _say_build(result)
        passed = failed = 0
        async for verdict in trial.verdicts(files):
            _say(verdict)
            if verdict.difference:
                failed += 1
            else:
                passed += 1
    finally:
        await store.close()
    click.echo(f"{passed} passed, {failed} failed")
    return 1 if failed or result.problems else 0


def _say_build(result: BuildResult) -> None:
    for problem in (*result.warnings, *result.problems):
        click.echo(str(problem))


def _say(verdict: Verdict) -> None:
    case = verdict.case
    if not verdict.difference:
        return
    click.echo(f"FAILED {case.path}: {case.name}")
    for line in verdict.difference.splitlines():
        click.echo(f"    {line}")


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """Leave in order on SIGTERM too: the store ends and the folder is removed."""
    raise KeyboardInterrupt
