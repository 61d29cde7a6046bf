"""`playhead space`: what uses the disk of a running server, until when, and how fast it fills."""

import shutil
import sys
from pathlib import Path

import click
import msgspec

from playhead.cli.asking import URL_HELP, ask, secret_of, server_of, told
from playhead.cli.space_table import lines


@click.command(name="space")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the server as JSON.")
@click.option("--all", "every", is_flag=True, help="Every use, the small ones as well.")
@click.option("--url", metavar="URL", help=URL_HELP)
@click.option("--data", metavar="DIR", help="Its data folder, for the admin token.")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with a token (default: admin.token of the data folder).",
)
def command(
    *, as_json: bool, every: bool, url: str | None, data: str | None, token_file: Path | None
) -> None:
    """Show what uses the disk, by what rule it goes, and when the disk is full.

    Talks to a running server; exits with 1 where the disk is below its warning or its floor.
    """
    server, secret = server_of(url, data), secret_of(data, token_file)
    answer = told(ask(server, secret, "GET", "/v1/space"))
    found = answer["data"]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        for line in lines(found, width=width, every=every, colours=sys.stdout.isatty()):
            click.echo(line)
    sys.exit(0 if found["disk"]["state"] == "ok" else 1)
