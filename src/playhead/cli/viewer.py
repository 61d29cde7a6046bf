"""`playhead viewer export|delete`: everything that is kept about one viewer."""

import sys
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import click
import httpx2
import msgspec

from playhead.cli.asking import URL_HELP, answer_of, secret_of, server_of, shown, stop, told

WAIT_S = 3_600.0
"""A deletion answers when it is done: a large log takes its time to be written anew."""

_URL = click.option("--url", metavar="URL", help=URL_HELP)
_DATA = click.option("--data", metavar="DIR", help="Its data folder, for the admin token.")
_TOKEN = click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with a token (default: admin.token of the data folder).",
)
_PROPERTY = click.option("--property", "property_", metavar="NAME", help="Only of this property.")
_COLUMNS = click.option(
    "--column",
    "columns",
    metavar="SOURCE.COLUMN",
    multiple=True,
    help="A column of the project that holds ids of viewers; may be repeated.",
)


@click.group(name="viewer")
def command() -> None:
    """Export or delete everything about one viewer; talks to a running server."""


@command.command(name="export", short_help="Write every row about a viewer, as NDJSON.")
@click.argument("viewer", metavar="ID")
@_PROPERTY
@_COLUMNS
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write (default: standard output).",
)
@_URL
@_DATA
@_TOKEN
def export(
    *,
    viewer: str,
    property_: str | None,
    columns: tuple[str, ...],
    output: Path | None,
    url: str | None,
    data: str | None,
    token_file: Path | None,
) -> None:
    """Write every row about a viewer, one JSON object a line: {"table": …, "row": {…}}."""
    server, secret = server_of(url, data), secret_of(data, token_file)
    asked = _asked(property_, columns) | {"format": "ndjson"}
    if output is None:
        _stream(server, secret, viewer, asked, sys.stdout.buffer)
        return
    draft = output.with_name(f".{output.name}.part")
    try:
        with draft.open("wb") as file:
            _stream(server, secret, viewer, asked, file)
        draft.replace(output)
    except OSError as error:
        stop(f"{output} cannot be written: {error.strerror}.")
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"Written to {output}.", err=True)


@command.command(name="delete", short_help="Delete everything about a viewer.")
@click.argument("viewer", metavar="ID")
@_PROPERTY
@_COLUMNS
@click.option(
    "--now", is_flag=True, help="Take it out of all files now: write the log and tables anew."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_URL
@_DATA
@_TOKEN
def delete(
    *,
    viewer: str,
    property_: str | None,
    columns: tuple[str, ...],
    now: bool,
    yes: bool,
    url: str | None,
    data: str | None,
    token_file: Path | None,
) -> None:
    """Delete everything about a viewer; what is deleted cannot be had back."""
    server, secret = server_of(url, data), secret_of(data, token_file)
    if not yes:
        click.confirm(f"Delete everything about viewer '{shown(viewer)}'?", abort=True, err=True)
    asked = _asked(property_, columns) | ({"now": "true"} if now else {})
    answer = answer_of(
        server, secret, "DELETE", _path(viewer), params=asked, timeout=httpx2.Timeout(WAIT_S)
    )
    for line in _said(told(answer)["data"]):
        click.echo(line)


def _said(report: dict[str, Any]) -> list[str]:
    lines = [f"Deleted: {report['views']} views, {report['events']} events."]
    lines += [f"  {count} rows of {table}" for table, count in sorted(report["rows"].items())]
    if report["log_records"] is None:
        lines.append(
            "Answers no longer hold it; files of the store do until the worker keeps house,"
        )
        lines.append("the log's until their retention ends (--now takes it out of both).")
    else:
        lines.append(
            f"Written anew: {report['log_records']} records of the log,"
            f" {report['partitions']} partitions of tables."
        )
    lines += [f"Still named in {shown(file)}: change or remove it." for file in report["files"]]
    return lines


def _stream(server: str, secret: str, viewer: str, asked: dict[str, Any], into: BinaryIO) -> None:
    """Copy the answer; one that was cut is said and ends the command."""
    url = (server if "://" in server else f"http://{server}").rstrip("/") + _path(viewer)
    headers = {"authorization": f"Bearer {secret}"}
    try:
        with (
            httpx2.Client(timeout=WAIT_S, trust_env=False) as client,
            client.stream("GET", url, headers=headers, params=asked) as answer,
        ):
            if answer.status_code != httpx2.codes.OK:
                said = msgspec.json.decode(answer.read())
                stop(f"The server answered {answer.status_code}: {shown(str(said['message']))}")
            into.writelines(answer.iter_bytes())
    except httpx2.ConnectError:
        stop(f"Nothing answers at {server}.", "Start it with 'playhead up', or name it with --url.")
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        stop(f"The export was cut off: {str(error).rstrip('.')}. It is not whole.")
    except (msgspec.DecodeError, KeyError, TypeError):
        stop("What answers is no Playhead server.")


def _asked(property_: str | None, columns: tuple[str, ...]) -> dict[str, Any]:
    asked: dict[str, Any] = {"column": list(columns)} if columns else {}
    return asked | ({"property": property_} if property_ else {})


def _path(viewer: str) -> str:
    return f"/v1/viewers/{quote(viewer, safe='')}"
