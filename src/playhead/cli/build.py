"""`playhead build`: a project folder becomes tables, materialized views and endpoints."""

import asyncio
import os
import sys
from collections.abc import Sized
from pathlib import Path

import click
import msgspec

from playhead.build.building import build, is_unchanged
from playhead.build.loading import load_fixtures
from playhead.build.target import BuildResult, Change, target_of
from playhead.build.tokens import ensure_tokens
from playhead.cli.settings import DATA, arguments_of, fail, load
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import PlayheadError, ProjectInvalid
from playhead.observe import configure_logging
from playhead.project.folder import read_project
from playhead.project.resources import Project
from playhead.runtime.location import location_of
from playhead.runtime.store_process import answers, store_of
from playhead.store.async_client import AsyncStoreClient
from playhead.store.location import Location

WAIT_S = 30.0
"""How long to wait for another build of the folder, as that of the project that ships."""


@click.command(name="build")
@click.option(
    "--project", "folder", default=".", metavar="DIR", help="The project's folder (default: .)."
)
@click.option("--data", metavar="DIR", help=f"The data folder (default: {DATA}).")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file of settings.",
)
@click.option(
    "--fixtures", is_flag=True, help="Also load fixtures/ into data sources that hold no rows."
)
def command(folder: str, data: str | None, config_file: Path | None, fixtures: bool) -> None:
    """Build a project: tables, materialized views, endpoints.

    Works with the server of the data folder running or not. Prints a line for everything that
    changed. When a resource cannot be built, its file, line and reason are printed, the exit code
    is 1, and what was live stays live.
    """
    loaded = load(data, None, None, config_file)
    configure_logging()
    arguments = arguments_of(data, None, None, config_file)
    try:
        project = project_in(folder)
        if not fixtures and _is_built(project, loaded.config):
            sys.exit(report(BuildResult(project=project), []))
        with store_of(loaded.config, arguments) as location:
            result, loaded_rows = asyncio.run(
                _build(project, loaded.config, location, fixtures=fixtures)
            )
    except PlayheadError as error:
        fail(error, 1)
    sys.exit(report(result, loaded_rows))


def project_in(folder: str) -> Project:
    """Return the project of a folder.

    Raises:
        ProjectInvalid: There is no such folder, or no data file in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ProjectInvalid(f"There is no folder {folder}.", hint="Name it with --project DIR.")
    project = read_project(root, environ=os.environ)
    if not (project.datasources or project.pipes or project.problems):
        raise ProjectInvalid(
            f"There is no .datasource or .pipe file in {root.absolute()}.",
            hint="Call it in a project's folder, or name that with --project DIR.",
        )
    return project


def _is_built(project: Project, config: Config) -> bool:
    """Return whether there is nothing to do, without starting a store for it."""
    if config.store.kind != "embedded" or answers(location_of(config)):
        return False
    return is_unchanged(project, config.data_dir)


async def _build(
    project: Project, config: Config, location: Location, *, fixtures: bool
) -> tuple[BuildResult, list[Change]]:
    store = AsyncStoreClient(location)
    try:
        target = await target_of(store, config.pipes)
        target = msgspec.structs.replace(target, data_dir=config.data_dir)
        clock = SystemClock()
        result = await build(project, target, clock, wait_s=WAIT_S)
        if result.problems:
            return result, []
        more = ensure_tokens(result.project, config.data_dir, clock)
        if fixtures:
            loaded = await load_fixtures(result.project, target, at_s=clock.now_ms() // 1000)
            more += loaded.changes
            result = msgspec.structs.replace(result, warnings=(*result.warnings, *loaded.warnings))
        return result, more
    finally:
        await store.close()


def report(result: BuildResult, loaded: list[Change]) -> int:
    """Print what a build has found and done; return the exit code."""
    for problem in (*result.warnings, *result.problems):
        click.echo(str(problem))
    if result.problems:
        click.echo(
            f"{_counted(result.problems, 'resource')} cannot be built; nothing was changed.",
            err=True,
        )
        return 1
    changes = [*result.changes, *loaded]
    for change in changes:
        click.echo(str(change))
    project = result.project
    what = f"{_counted(project.datasources, 'data source')}, {_counted(project.pipes, 'pipe')}"
    done = _counted(changes, "change")
    click.echo(f"{what}: {done if changes else 'nothing changed'}.")
    return 0


def _counted(some: Sized, noun: str) -> str:
    return f"{len(some)} {noun}{'' if len(some) == 1 else 's'}"
