"""`playhead token create|ls|rm`: who may send, read or administer."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from playhead.access import DATABASE_FILE, KINDS, Tokens
from playhead.cli.settings import fail, load
from playhead.clock import SystemClock
from playhead.errors import PlayheadError


@click.group(name="token")
def command() -> None:
    """Create, list and revoke tokens. They work within a second on the running server."""


def _tokens(data: str | None, config_file: Path | None) -> Tokens:
    config = load(data, None, None, config_file).config
    return Tokens(config.data_dir / DATABASE_FILE, SystemClock())


_DATA = click.option("--data", metavar="DIR", help="The data folder (default: playhead-data).")
_FILE = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file.",
)


@command.command(name="create")
@_DATA
@_FILE
@click.option("--kind", type=click.Choice(KINDS), default="read", show_default=True)
@click.option("--name", default="", help="A word to recognise it by.")
@click.option("--property", "property_", help="Only this property (site, app or tenant).")
def create(
    data: str | None, config_file: Path | None, kind: str, name: str, property_: str | None
) -> None:
    """Make a token and print it; it is shown this once only."""
    try:
        grant, secret = _tokens(data, config_file).create(kind, name, property_)
    except PlayheadError as error:
        fail(error)
    scope = f"property {grant.property}" if grant.property else "every property"
    click.echo(
        f"{grant.kind} token {grant.id} for {scope}; keep it, it is not shown again:", err=True
    )
    click.echo(secret)


@command.command(name="ls")
@_DATA
@_FILE
def list_(data: str | None, config_file: Path | None) -> None:
    """List the tokens (never their secrets)."""
    grants = _tokens(data, config_file).list()
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
