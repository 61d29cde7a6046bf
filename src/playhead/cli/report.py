"""`playhead report`: the eight KPIs on the terminal, as JSON, or as a page."""

import os
import shutil
import sys
from pathlib import Path

import click
import msgspec

from playhead.cli.asking import URL_HELP, ask, secret_in, secret_of, server_of, stop, told
from playhead.cli.report_terminal import lines

PATH = "/v1/report"


@click.command(name="report")
@click.option("--url", metavar="URL", help=URL_HELP)
@click.option("--data", metavar="DIR", help="Its data folder, for the admin token.")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with a token (default: admin.token of the data folder).",
)
@click.option("--token-env", metavar="NAME", help="An environment variable with a token instead.")
@click.option(
    "--from", "from_", metavar="TIME", default="-7d", show_default=True, help="-7d, or ISO 8601."
)
@click.option("--to", metavar="TIME", default="now", show_default=True, help="The same.")
@click.option(
    "--timezone", metavar="NAME", default="UTC", show_default=True, help="Whose days and hours."
)
@click.option(
    "--filter", "filters", metavar="FILTER", multiple=True,
    help="Only such views: country:DE, or !country:DE for all others; may be repeated.",
)  # fmt: skip
@click.option("--video-id", metavar="ID", help="Only views of this video.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1), help="Groups of a table  [default: 10]"
)
@click.option(
    "--html", "page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with charts to this file, and print nothing else.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the server's answer as it is.")
def command(
    *, url: str | None, data: str | None, token_file: Path | None, token_env: str | None, from_: str,
    to: str, timezone: str, filters: tuple[str, ...], video_id: str | None, limit: int | None,
    page: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Print what was watched and how well, compared with the period before.

    Asks a running server. Colours only on a terminal, and not with NO_COLOR set.
    """
    if page is not None and as_json:
        raise click.UsageError("Use --html or --json, not both.")
    secret = secret_in(token_env) if token_env else secret_of(data, token_file)
    asked = {
        "from": from_, "to": to, "timezone": timezone, "filters": list(filters),
        "video_id": video_id, "limit": limit, "format": "json" if page is None else "html",
    }  # fmt: skip
    params = {name: value for name, value in asked.items() if value}
    answer = ask(server_of(url, data), secret, "GET", PATH, params=params)
    if page is not None:
        _write(page, answer.content)
        click.echo(f"The report is in {page}.")
    elif as_json:
        click.echo(msgspec.json.format(answer.content).decode())
    else:
        body = told(answer)
        width = shutil.get_terminal_size((80, 24)).columns
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        for line in lines(body["data"], body["meta"], width=width, colours=colours):
            click.echo(line)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        stop(f"{file} cannot be written: {error.strerror}.")
