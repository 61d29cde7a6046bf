"""`playhead quarantine list|retry`: what was refused, and taking it up again."""

import sys
from pathlib import Path
from typing import Any

import click

from playhead.cli.asking import URL_HELP, ask, secret_of, server_of, shown, told

PAGE_ROWS = 500
BATCH_ROWS = 1_000
COLUMNS = ("ID", "RECEIVED", "DOOR", "SOURCE", "REASON")


@click.group(name="quarantine")
def command() -> None:
    """List what was refused, and take it up again; talks to a running server."""


_URL = click.option("--url", metavar="URL", help=URL_HELP)
_DATA = click.option("--data", metavar="DIR", help="Its data folder, for the admin token.")
_TOKEN = click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with a token (default: admin.token of the data folder).",
)
_DOOR = click.option("--door", metavar="NAME", help="Only of this door, such as telemetry or cdn.")
_CODE = click.option("--code", metavar="CODE", help="Only with this reason.")
_SOURCE = click.option("--source", metavar="NAME", help="Only of this log format or data source.")
_FROM = click.option("--from", "from_", metavar="TIME", help="Received since: -24h, or ISO 8601.")


@command.command(name="list")
@_URL
@_DATA
@_TOKEN
@_DOOR
@_CODE
@_SOURCE
@_FROM
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, PAGE_ROWS),
    default=20,
    show_default=True,
    help="Most rows.",
)
@click.option("--retried", is_flag=True, help="Only what was taken up; else only what waits.")
def list_(
    *,
    url: str | None,
    data: str | None,
    token_file: Path | None,
    door: str | None,
    code: str | None,
    source: str | None,
    from_: str | None,
    limit: int,
    retried: bool,
) -> None:
    """List refused events of the last seven days, newest first."""
    asked = _given(door=door, code=code, source=source, **{"from": from_ or "-7d"})
    asked |= {"limit": str(limit), "retried": "yes" if retried else "no"}
    answer = told(
        ask(
            server_of(url, data), secret_of(data, token_file), "GET", "/v1/quarantine", params=asked
        )
    )
    rows = answer["data"]
    if not rows:
        fits = " that fits" if door or code or source else ""
        when = "" if from_ else " of the last seven days"
        click.echo(f"Nothing{when}{fits} {'was taken up' if retried else 'waits in quarantine'}.")
        return
    title, *heads = _aligned([COLUMNS, *map(_head_of, rows)])
    click.echo(title)
    for row, head in zip(rows, heads, strict=True):
        click.echo(head)
        click.echo(f"    {shown(row['message'])}")
        click.echo(f"    {shown(row['body'])}")
    if answer["meta"]["next_cursor"]:
        click.echo(f"(the newest {len(rows)}; --limit shows more)")


@command.command(name="retry", short_help="Take up what passes now, each row once.")
@_URL
@_DATA
@_TOKEN
@_DOOR
@_CODE
@_SOURCE
@_FROM
@click.option("--id", "ids", metavar="ID", multiple=True, help="Only this row; may be repeated.")
def retry(
    *,
    url: str | None,
    data: str | None,
    token_file: Path | None,
    door: str | None,
    code: str | None,
    source: str | None,
    from_: str | None,
    ids: tuple[str, ...],
) -> None:
    """Take up what passes now, each row once; exits with 1 when something is still refused."""
    server, secret = server_of(url, data), secret_of(data, token_file)
    asked: dict[str, Any] = _given(door=door, code=code, source=source, **{"from": from_})
    asked |= {"ids": list(ids), "limit": BATCH_ROWS}
    accepted = refused = skipped = 0
    while True:
        answer = told(ask(server, secret, "POST", "/v1/quarantine/retry", json=asked))
        found = answer["data"]
        accepted += found["accepted"]
        refused += len(found["still_refused"])
        skipped = found["skipped_truncated"]
        for one in found["still_refused"]:
            click.echo(shown(f"{one['id']}: still refused, {one['code']}: {one['message']}"))
        if answer["meta"]["next_cursor"] is None:
            break
        asked["cursor"] = answer["meta"]["next_cursor"]
    click.echo(f"{accepted} taken up, {refused} still refused.")
    if skipped:
        click.echo(f"{skipped} cannot be: only the beginning of their body was kept.")
    sys.exit(1 if refused else 0)


def _aligned(table: list[tuple[str, ...]]) -> list[str]:
    wide = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(f"{one:<{size}}" for one, size in zip(line, wide, strict=True)).rstrip()
        for line in table
    ]


def _head_of(row: dict[str, Any]) -> tuple[str, ...]:
    """Return a row's head; of a source only its name, without what was said beside it."""
    received = row["received_at"][:19].replace("T", " ") + "Z"
    source = row["source"].partition("&")[0]
    return tuple(map(shown, (row["id"], received, row["door"], source, row["code"])))


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
