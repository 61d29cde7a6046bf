"""`playhead upgrade`: bring a data folder to this release, or say what that would change."""

import json
from pathlib import Path

import click
import msgspec

from playhead.access import DATABASE_FILE, Tokens
from playhead.cli.settings import arguments_of, fail, load
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import DataDirBusy, PlayheadError
from playhead.log.lock import WriterLock
from playhead.observe import configure_logging
from playhead.runtime.location import location_of
from playhead.runtime.release import check_folder, write_release
from playhead.runtime.store_process import answers, store_of
from playhead.runtime.upgrade import Upgrade, lines_of, upgrade_of
from playhead.store.client import StoreClient


@click.command(name="upgrade")
@click.option("--dry-run", is_flag=True, help="Only say what would change; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--data", metavar="DIR", help="The data folder (default: playhead-data).")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file of settings.",
)
def command(*, dry_run: bool, as_json: bool, data: str | None, config_file: Path | None) -> None:
    """Bring a data folder to this release, or say what that would change.

    'playhead up' does the same at its start. A folder that a newer release has written is
    refused as it is: there is no way back but a backup.
    """
    config = load(data, None, None, config_file).config
    configure_logging()
    try:
        upgrade = upgrade_of(config.data_dir, _store_at(config))
        if as_json:
            click.echo(json.dumps({"dry_run": dry_run} | msgspec.to_builtins(upgrade)))
        else:
            _say(config.data_dir, upgrade, dry_run=dry_run)
        if upgrade.changes and not dry_run:
            _apply(config, arguments_of(data, None, None, config_file))
            if not as_json:
                click.echo("Done.")
    except PlayheadError as error:
        fail(error)


def _say(data_dir: Path, upgrade: Upgrade, *, dry_run: bool) -> None:
    if upgrade.is_new:
        click.echo(f"There is no data folder at {data_dir} yet; 'playhead up' makes it.")
    elif not upgrade.changes:
        click.echo(f"The data folder is of this release ({upgrade.release}). Nothing changes.")
    for line in lines_of(upgrade):
        click.echo(line)
    if upgrade.changes and dry_run:
        click.echo("Nothing was changed. Take a backup, then start 'playhead up'.")


def _store_at(config: Config) -> int | None:
    """Return the newest migration of a store that runs; None where none does."""
    location = location_of(config)
    if not answers(location):
        return None
    client = StoreClient(location)
    try:
        found = client.rows("SELECT max(number) FROM playhead.schema_migrations")
        return int(found.rows[0][0])
    finally:
        client.close()


def _apply(config: Config, arguments: list[str]) -> None:
    """Open the folder once with this release: the store migrates, files get their versions."""
    folder, clock = config.data_dir, SystemClock()
    try:
        lock = WriterLock(folder / "run" / "supervisor.lock")
    except DataDirBusy:
        raise DataDirBusy(
            "A server runs on this data folder; it was brought to its own release when it started."
            " Nothing was changed.",
            hint="Stop it, then call this again or start 'playhead up' of this release.",
        ) from None
    try:
        check_folder(folder)
        write_release(folder, clock)
        with store_of(config, arguments):
            Tokens(folder / DATABASE_FILE, clock).close()
    finally:
        lock.release()
