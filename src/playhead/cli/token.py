"""`playhead token create|jwt|ls|refresh|rm|workspace`: who may send, read or administer."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from playhead.access import DATABASE_FILE, KINDS, Grant, Scope, Tokens, checked_all, scope_of
from playhead.access.grant import QUARANTINE
from playhead.build.sentence import close_to
from playhead.cli.settings import fail, load
from playhead.clock import SystemClock
from playhead.errors import InvalidRequest, PlayheadError, StartupError
from playhead.project.folder import read_texts
from playhead.project.manifest import LIVE_FILE, UNREADABLE, read_manifest
from playhead.simulate.settings import duration_ms

_SCOPES_SHOWN_MAX = 100


@click.group(name="token")
def command() -> None:
    """Create, list, refresh and revoke tokens; a running server knows within a second."""


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


_SCOPE = click.option(
    "--scope",
    "scopes",
    metavar="SCOPE",
    multiple=True,
    help="What it may do, such as PIPES:READ:top_titles or DATASOURCES:READ:plays:country = 'DE'; "
    "may be given several times.",
)
_ORIGIN = click.option(
    "--origin",
    "origins",
    metavar="ORIGIN",
    multiple=True,
    help="Pages of this origin alone may send with a write key, such as https://tv.example or "
    "https://*.tv.example; may be given several times.",
)
_RPS = click.option(
    "--rps", type=click.IntRange(1), metavar="N", help="Requests a second, at most."
)


@command.command(name="create")
@_DATA
@_FILE
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="read asks (the default), write only sends, admin does both and sees the server's status.",
)
@click.option("--name", metavar="WORD", default="", help="A word to recognise it by.")
@click.option(
    "--property",
    "property_",
    metavar="NAME",
    help="Only this property (site, app or tenant); a write key puts its events there.",
)
@_SCOPE
@_ORIGIN
@_RPS
def create(
    data: str | None,
    config_file: Path | None,
    kind: str | None,
    name: str,
    property_: str | None,
    scopes: tuple[str, ...],
    origins: tuple[str, ...],
    rps: int | None,
) -> None:
    """Make a token and print it; it is shown this once only.

    A token is of a kind, or has scopes and a name.
    """
    try:
        if scopes and (kind or property_ or origins):
            raise InvalidRequest("A token has scopes, or a kind and perhaps a property.")
        if rps is not None and not scopes:
            raise InvalidRequest("--rps goes with --scope.")
        if scopes:
            wanted = [scope_of(one) for one in scopes]
            grant, secret = _tokens(data, config_file, make=True).create_scoped(
                name, wanted, rps=rps
            )
        else:
            tokens = _tokens(data, config_file, make=True)
            grant, secret = tokens.create(kind or "read", name, property_, origins)
    except PlayheadError as error:
        fail(error)
    _show(data, config_file, grant, secret)
    _warn_of_unknown(load(data, None, None, config_file).config.data_dir, grant.scopes)


@command.command(name="jwt")
@_DATA
@_FILE
@click.option("--name", metavar="WORD", default="jwt", help="A word to recognise it by.")
@_SCOPE
@click.option("--expires", metavar="DURATION", default="1h", show_default=True, help="30m, 1h, 7d.")
@_RPS
@click.option(
    "--param",
    "params",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter of the pipes that requests cannot choose; may be given several times.",
)
def sign(
    data: str | None,
    config_file: Path | None,
    name: str,
    scopes: tuple[str, ...],
    expires: str,
    rps: int | None,
    params: tuple[str, ...],
) -> None:
    """Sign a JWT with the admin token and print it; the server need not run and keeps nothing."""
    try:
        fixed = _params(params)
        wanted = [scope_of(one) for one in scopes]
        wanted = [
            Scope(one.type, one.resource, one.filter, fixed if one.type == "PIPES:READ" else {})
            for one in wanted
        ]
        ends_s = (SystemClock().now_ms() + duration_ms(expires)) // 1000
        tokens = _tokens(data, config_file)
        tokens.list()
        _, text = tokens.signed.mint(name, checked_all(wanted), expires_at_s=ends_s, rps=rps)
    except PlayheadError as error:
        fail(error)
    click.echo(f"until {_time(ends_s * 1000)}; a new admin token ends it before:", err=True)
    click.echo(text)


@command.command(name="refresh")
@_DATA
@_FILE
@click.argument("token")
def refresh(data: str | None, config_file: Path | None, token: str) -> None:
    """Give a token, by its id or name, a new secret; the old one stops working within a second."""
    try:
        tokens = _tokens(data, config_file)
        grant, secret = tokens.refresh(tokens.found(token).id)
    except PlayheadError as error:
        fail(error, 1)
    _show(data, config_file, grant, secret)


@command.command(name="workspace")
@_DATA
@_FILE
def workspace(data: str | None, config_file: Path | None) -> None:
    """Print the workspace's id, which a JWT must name."""
    try:
        click.echo(_tokens(data, config_file).workspace_id)
    except PlayheadError as error:
        fail(error, 1)


def _show(data: str | None, config_file: Path | None, grant: Grant, secret: str) -> None:
    folder = load(data, None, None, config_file).config.data_dir
    reach = f"property {grant.property}" if grant.property else "every property"
    if grant.kind == "scoped":
        reach = f"{len(grant.scopes)} scope{'s' if len(grant.scopes) > 1 else ''}"
    click.echo(
        f"{grant.kind} token {grant.id} for {reach} of {folder}; keep it, it is not shown again:",
        err=True,
    )
    click.echo(secret)


def _warn_of_unknown(folder: Path, scopes: tuple[Scope, ...]) -> None:
    """Say which pipes and data sources of scopes the live project does not have."""
    try:
        project = read_texts(read_manifest(folder / LIVE_FILE).files)
    except UNREADABLE:
        return  # nothing was built yet, or the server says what is wrong with it
    targets = [node.target for pipe in project.pipes.values() for node in pipe.nodes]
    sources = [*project.datasources, *project.aliases, *targets]
    names = {
        "PIPES": [*project.pipes, *project.aliases],
        "DATASOURCES": [*sources, *(f"{name}{QUARANTINE}" for name in sources)],
    }
    for scope in scopes:
        kind = scope.type.partition(":")[0]
        name = scope.resource
        if not name or "." in name or kind not in names or name in names[kind]:
            continue
        what = "pipe" if kind == "PIPES" else "data source"
        said = f"warning: the project has no {what} '{name}'; the token is made all the same."
        click.echo(f"{said} {close_to(name, names[kind])}".rstrip(), err=True)


def _params(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in texts]
    if not all(name and sign for name, sign, _ in pairs):
        raise InvalidRequest("--param is NAME=VALUE.")
    return {name: value for name, _, value in pairs}


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


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
    click.echo(f"{'ID':<14}{'KIND':<8}{'PROPERTY':<18}{'CREATED':<22}{'NAME':<20}SCOPES")
    for grant in grants:
        line = (
            f"{grant.id:<14}{grant.kind:<8}{grant.property or '(all)':<18}"
            f"{_time(grant.created_at):<22}{grant.name:<20}{_scopes(grant)}"
        )
        click.echo(line.rstrip())


def _scopes(grant: Grant) -> str:
    said = "  ".join(scope.text for scope in grant.scopes)
    return said if len(said) <= _SCOPES_SHOWN_MAX else said[: _SCOPES_SHOWN_MAX - 1] + "…"


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
