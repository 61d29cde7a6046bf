"""`playhead backup [create]|ls|check|prune`: a moment of the data folder, kept elsewhere."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from playhead.backup.keeping import check as check_backup
from playhead.backup.keeping import prune as prune_backups
from playhead.backup.making import make_backup
from playhead.backup.manifest import Summary, read_summaries
from playhead.backup.place import place_of
from playhead.backup.restoring import find_backup
from playhead.cli.backup_lines import Bar, bytes_text, when
from playhead.cli.settings import arguments_of, fail, load
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.connect.buckets.bucket import Archive
from playhead.errors import PlayheadError, StartupError
from playhead.observe import configure_logging
from playhead.runtime.store_process import store_of

_TO = click.option(
    "--to",
    metavar="PLACE",
    help="A folder, s3://bucket/folder or gs://bucket/folder (default: [backup] to).",
)
_DATA = click.option("--data", metavar="DIR", help="The data folder (default: playhead-data).")
_FILE = click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file of settings.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ID = click.option("--backup", "id_", metavar="ID", default="", help="Which (default: the newest).")


@click.group(name="backup", invoke_without_command=True)
@_TO
@_DATA
@_FILE
@_JSON
@click.pass_context
def command(
    context: click.Context,
    to: str | None,
    data: str | None,
    config_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make a backup of the data folder, list backups, check and prune them.

    Without a further word it makes one. The server may run meanwhile: its worker stands still
    for about a second at most. What is there already is not sent again. A backup holds everything, secrets of projects
    too; write it where only you can read.
    """
    if context.invoked_subcommand is None:
        _create(to, data, config_file, as_json=as_json)


@command.command(name="create")
@_TO
@_DATA
@_FILE
@_JSON
def create(to: str | None, data: str | None, config_file: Path | None, *, as_json: bool) -> None:
    """Make a backup."""
    _create(to, data, config_file, as_json=as_json)


def _create(to: str | None, data: str | None, config_file: Path | None, *, as_json: bool) -> None:
    config = load(data, None, None, config_file).config
    configure_logging()
    try:
        if not config.data_dir.is_dir():
            raise StartupError(
                f"There is no Playhead data in {config.data_dir}.",
                hint="Name the server's data folder with --data.",
            )
        archive = place_of(to or config.backup.to, config.backup, data_dir=config.data_dir)
        with store_of(config, arguments_of(data, None, None, config_file)), Bar("sent") as bar:
            made = asyncio.run(make_backup(config, archive, SystemClock(), bar.told))
    except PlayheadError as error:
        fail(error, 1)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(made), indent=2).decode())
        return
    click.echo(
        f"{made.id}: {bytes_text(made.content_bytes)} in {made.packs} files,"
        f" {bytes_text(made.sent_bytes)} sent; the worker stood still for {made.held_ms} ms."
    )


@command.command(name="ls")
@_TO
@_DATA
@_FILE
@_JSON
def ls(to: str | None, data: str | None, config_file: Path | None, *, as_json: bool) -> None:
    """List the backups that are whole, newest first."""
    config, archive = _opened(to, data, config_file)
    del config
    found = _run(read_summaries(archive))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    if not found:
        click.echo("There is no whole backup there.")
        return
    click.echo(f"{'ID':<26}  {'TAKEN AT':<20}  {'HOLDS':>9}  {'SENT':>9}  RELEASE")
    for one in found:
        click.echo(_line(one))


@command.command(name="check")
@_TO
@_DATA
@_FILE
@_ID
@click.option(
    "--quick", is_flag=True, help="Only look whether the files are there; do not read them."
)
def check(
    to: str | None, data: str | None, config_file: Path | None, id_: str, *, quick: bool
) -> None:
    """Read a backup and compare it with what was sent; exits with 1 when something is damaged."""
    _, archive = _opened(to, data, config_file)

    async def checked() -> Any:
        with Bar("checked") as bar:
            summary = await find_backup(archive, id_)
            return await check_backup(archive, summary, quick=quick, told=bar.show)

    found = _run(checked())
    for line in found.damaged:
        click.echo(line)
    state = f"{len(found.damaged)} are damaged" if found.damaged else "all are as they were sent"
    state = "all are there" if quick and not found.damaged else state
    click.echo(f"{found.id}: {found.files} files, {bytes_text(found.bytes)}; {state}.")
    sys.exit(1 if found.damaged else 0)


@command.command(name="prune")
@_TO
@_DATA
@_FILE
@click.option(
    "--keep", type=click.IntRange(1), metavar="N", help="How many stay (default: [backup] keep)."
)
def prune(to: str | None, data: str | None, config_file: Path | None, keep: int | None) -> None:
    """Remove all but the newest backups, and the files that none of them holds."""
    config, archive = _opened(to, data, config_file)
    most = keep or config.backup.keep
    if not most:
        click.echo("Nothing was removed: [backup] keep is 0, all of them.")
        return
    found = _run(prune_backups(archive, SystemClock(), keep=most))
    click.echo(
        f"{len(found.backups)} backups removed, {found.files} files, {bytes_text(found.bytes)}."
    )
    if found.waits:
        click.echo("Files were kept: a backup is being made there, or was cut off within a day.")


def _opened(to: str | None, data: str | None, config_file: Path | None) -> tuple[Config, Archive]:
    config = load(data, None, None, config_file).config
    try:
        return config, place_of(to or config.backup.to, config.backup)
    except PlayheadError as error:
        fail(error, 1)


def _run(asked: Any) -> Any:
    try:
        return asyncio.run(asked)
    except PlayheadError as error:
        fail(error, 1)


def _line(one: Summary) -> str:
    holds, sent = bytes_text(one.content_bytes), bytes_text(one.sent_bytes)
    return f"{one.id:<26}  {when(one.taken_at):<20}  {holds:>9}  {sent:>9}  {one.release}"
