"""`playhead restore`: a backup becomes a data folder."""

import asyncio
from pathlib import Path

import click

from playhead.backup.manifest import Summary
from playhead.backup.place import place_of
from playhead.backup.restoring import check_empty, find_backup
from playhead.backup.restoring import restore as restore_backup
from playhead.cli.backup_lines import Bar, bytes_text, when
from playhead.cli.settings import fail, load
from playhead.errors import PlayheadError
from playhead.observe import configure_logging


@click.command(name="restore")
@click.option(
    "--from",
    "place",
    metavar="PLACE",
    help="A folder, s3://bucket/folder or gs://bucket/folder (default: [backup] to).",
)
@click.option("--backup", "id_", metavar="ID", default="", help="Which (default: the newest).")
@click.option(
    "--data", metavar="DIR", required=True, help="The new data folder: empty or not there."
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file of settings.",
)
def command(place: str | None, id_: str, data: str, config_file: Path | None) -> None:
    """Restore a backup into a new data folder; start it with 'playhead up' then.

    Every file is compared with what was sent before the folder is seen. Cut off, run it again.
    """
    config = load(data, None, None, config_file).config
    configure_logging()
    try:
        archive = place_of(place or config.backup.to, config.backup)
        check_empty(config.data_dir)

        async def restored() -> Summary:
            summary = await find_backup(archive, id_)
            with Bar("restored") as bar:
                await restore_backup(archive, summary, config.data_dir, bar.told)
            return summary

        found = asyncio.run(restored())
    except PlayheadError as error:
        fail(error, 1)
    click.echo(
        f"{config.data_dir} is as it was at {when(found.taken_at)} ({found.id},"
        f" {bytes_text(found.content_bytes)}). Start it: playhead up --data {data}"
    )
