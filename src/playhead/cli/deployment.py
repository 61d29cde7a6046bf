"""`playhead deployment`: list, promote and discard the deployments of a running server."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx2
import msgspec

from playhead.cli.asking import URL_HELP, answer_of, secret_of, server_of, shown, stop

_F = TypeVar("_F", bound=Callable[..., Any])
_STATUS = {"in_progress": "in progress", "data_ready": "staged"}


def OPTIONS(function: _F) -> _F:  # noqa: N802 (stands where options do)
    """Add what says which server is asked."""
    for option in (
        click.option(
            "--token-file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
            help="A file with an admin token.",
        ),
        click.option("--data", metavar="DIR", help="The server's data folder, for its token."),
        click.option("--url", metavar="URL", help=URL_HELP),
    ):  # fmt: skip
        function = option(function)
    return function


@click.group(name="deployment")
def command() -> None:
    """List, promote and discard deployments."""


@command.command(name="ls", short_help="List them, the newest first.")
@OPTIONS
def ls(url: str | None, data: str | None, token_file: Path | None) -> None:
    """List deployments: the live one, a staged one, and those before."""
    found = asked(server_of(url, data), secret_of(data, token_file), "GET", "/v1/deployments")[
        "deployments"
    ]
    if not found:
        click.echo("There is no deployment yet: 'playhead deploy' makes one.")
        return
    click.echo(f"{'ID':>4}  {'STATUS':<12}  CREATED (UTC)")
    for one in found:
        status = _STATUS.get(one["state"], shown(one["state"]))
        click.echo(f"{shown(one['id']):>4}  {status:<12}  {_moment(one['created_at_ms'])}")


@command.command(name="promote", short_help="Make a staged one live.")
@click.argument("id", required=False)
@OPTIONS
def promote(id: str | None, url: str | None, data: str | None, token_file: Path | None) -> None:  # noqa: A002
    """Make the deployment ID live, without ID the staged one.

    The one before can be promoted again where no table has moved.
    """
    url, secret = server_of(url, data), secret_of(data, token_file)
    id = id or _staged(url, secret)  # noqa: A001
    body = asked(url, secret, "POST", f"/v1/deployments/{id}/set-live")
    if body.get("result") == "in_progress":
        click.echo(f"Deployment {id} becomes live as soon as the jobs before it have ended.")
        return
    promoted(body["deployment"])


@command.command(name="discard", short_help="Take a staged one away.")
@click.argument("id", required=False)
@OPTIONS
def discard(id: str | None, url: str | None, data: str | None, token_file: Path | None) -> None:  # noqa: A002
    """Remove the deployment ID with its tables, without ID the staged one."""
    url, secret = server_of(url, data), secret_of(data, token_file)
    id = id or _staged(url, secret)  # noqa: A001
    asked(url, secret, "DELETE", f"/v1/deployments/{id}")
    click.echo(f"Deployment {id} is gone; what was live is live.")


def asked(url: str, secret: str, method: str, path: str, **content: Any) -> dict[str, Any]:
    """Return the body of the server's answer; a refusal, in its words, ends the command."""
    answer = answer_of(url, secret, method, path, **content)
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        stop("The server did not answer as Playhead does.", "Look at what --url names.")
    if answer.status_code != httpx2.codes.OK:
        message = said(str(body.get("error") or body.get("message") or ""))
        stop(
            f"The server answered {answer.status_code}: {message}", said(str(body.get("hint", "")))
        )
    return body


def promoted(one: dict[str, Any]) -> None:
    """Say that a deployment is live."""
    click.echo(f"Deployment {one['id']} is live.")


def row(error: dict[str, str]) -> str:
    """Return an error as a line: `file:line:column: sentence`."""
    name, message = error.get("filename", ""), said(error.get("error", ""))
    head, _, rest = message.partition(": ")
    words = head.replace(",", "").split()
    if name and words[::2] == ["line", "column"] and all(one.isdigit() for one in words[1::2]):
        return f"{shown(name)}:{words[1]}:{words[3]}: {rest}"
    return f"{shown(name)}: {message}" if name else message


def said(text: str) -> str:
    """Return a sentence of the server as a terminal may show it, whole."""
    return "".join(c if c.isprintable() else " " for c in text)


def _staged(url: str, secret: str) -> str:
    found = asked(url, secret, "GET", "/v1/deployments")["deployments"]
    staged = next((str(one["id"]) for one in found if one["state"] in _STATUS), "")
    if not staged:
        stop("No deployment is staged.", "'playhead deployment ls' lists them.")
    return staged


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
