"""`playhead token create|ls|rm`: who may send, read or administer."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from playhead.access import DATABASE_FILE, KINDS, Tokens
from playhead.cli.settings import fail, load
from playhead.clock import SystemClock
from playhead.errors import PlayheadError, StartupError


@click.group(name="token")
def command() -> None:
    """Create, list and revoke tokens; a running server knows within a second."""


def _tokens(data: str | None, config_file: Path | None, *, make: bool = False) -> Tokens:
    """Open the tokens of a data folder; only `make` may begin a new one."""
    folder = load(data, None, None, config_file).config.data_dir
    if not make and not (folder / DATABASE_FILE).exists():
        raise StartupError(
            f"There is no Playhead data in {folder}.",
            hint="Name the server's data folder with --data.",
        )
    try:
        return Tokens(folder / DATABASE_FILE, SystemClock())
    except OSError as error:
        raise StartupError(
            f"The data folder {folder} cannot be written: {error.strerror}."
        ) from error


_DATA = click.option("--data", metavar="DIR", help="The data folder (default: playhead-data).")
_FILE = click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file of settings.",
)


@command.command(name="create")
@_DATA
@_FILE
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="read",
    show_default=True,
    help="read asks, write only sends, admin does both and sees the server's status.",
)
@click.option("--name", metavar="WORD", default="", help="A word to recognise it by.")
@click.option(
    "--property",
    "property_",
    metavar="NAME",
    help="Only this property (site, app or tenant); a write key puts its events there.",
)
def create(
    data: str | None, config_file: Path | None, kind: str, name: str, property_: str | None
) -> None:
    """Make a token and print it; it is shown this once only."""
    try:
        grant, secret = _tokens(data, config_file, make=True).create(kind, name, property_)
    except PlayheadError as error:
        fail(error)
    scope = f"property {grant.property}" if grant.property else "every property"
    folder = load(data, None, None, config_file).config.data_dir
    click.echo(
        f"{grant.kind} token {grant.id} for {scope} of {folder}; keep it, it is not shown again:",
        err=True,
    )
    click.echo(secret)


@command.command(name="ls")
@_DATA
@_FILE
def list_(data: str | None, config_file: Path | None) -> None:
    """List the tokens (never their secrets)."""
    try:
        grants = _tokens(data, config_file).list()
    except PlayheadError as error:
        fail(error, 1)
    if not grants:
        click.echo("There are no tokens. 'playhead token create' makes one.")
        return
    click.echo(f"{'ID':<14}{'KIND':<8}{'PROPERTY':<18}{'CREATED':<22}NAME")
    for grant in grants:
        created = datetime.fromtimestamp(grant.created_at / 1000, UTC).strftime(
            "%Y-%m-%d %H:%M:%SZ"
        )
        click.echo(
            f"{grant.id:<14}{grant.kind:<8}{grant.property or '(all)':<18}{created:<22}{grant.name}"
        )


@command.command(name="rm")
@_DATA
@_FILE
@click.argument("token_id")
def remove(data: str | None, config_file: Path | None, token_id: str) -> None:
    """Revoke a token by its id; it stops working within a second."""
    try:
        _tokens(data, config_file).revoke(token_id)
    except PlayheadError as error:
        fail(error, 1)
    click.echo(f"Token {token_id} is revoked.")
    sys.exit(0)
