"""`playhead sql`: a query to the running server, its rows as a table, JSON or CSV."""

import shutil
import sys
from pathlib import Path
from typing import Any, Final

import click
import httpx2
import msgspec

from playhead.cli.asking import URL_HELP, answer_of, secret_of, server_of, shown, stop
from playhead.cli.sql_table import lines

FORMATS: Final = {
    "table": "JSONCompact",
    "json": "JSON",
    "ndjson": "JSONEachRow",
    "csv": "CSVWithNames",
}
"""What `--format` takes, and what the server is asked for."""
QUERY_BYTES_MAX: Final = 262_144
SHOWN_ROWS: Final = 100


@click.command(name="sql")
@click.argument("query", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="How rows are printed (default: a table on a terminal, else CSV).",
)
@click.option("--pipe", metavar="NAME", help="A pipe whose nodes the query may name.")
@click.option(
    "--rows",
    metavar="N",
    type=click.IntRange(1),
    default=SHOWN_ROWS,
    show_default=True,
    help="Most rows of a table.",
)
@click.option("--url", metavar="URL", help=URL_HELP)
@click.option("--data", metavar="DIR", help="Its data folder, for the admin token.")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with a token (default: admin.token of the data folder).",
)
def command(
    *,
    query: str | None,
    form: str | None,
    pipe: str | None,
    rows: int,
    url: str | None,
    data: str | None,
    token_file: Path | None,
) -> None:
    """Ask one SELECT over data sources and pipes; without QUERY it is read from standard input.

    The query passes the same guard as every query from outside, so it reads and never changes
    anything. A query that ends in FORMAT … is printed as the server sends it.
    """
    text = _query(query)
    form = form or ("table" if sys.stdout.isatty() else "csv")
    params = {"pipeline": pipe} if pipe else {}
    server, secret = server_of(url, data), secret_of(data, token_file)

    def asked(sql: str) -> httpx2.Response:
        headers = {"content-type": "text/plain; charset=utf-8"}
        return answer_of(
            server, secret, "POST", "/v0/sql", params=params, content=sql.encode(), headers=headers
        )

    answer = asked(f"{text}\nFORMAT {FORMATS[form]}")
    if answer.status_code != httpx2.codes.OK:
        # The query may say FORMAT itself; if that is not it, this says what is wrong without ours.
        plain = asked(text)
        if plain.status_code != httpx2.codes.OK:
            _refused(plain)
        _print(plain.content)
    elif form == "table":
        _table(answer.content, rows)
    else:
        _print(answer.content)


def _query(query: str | None) -> str:
    if query is None or query == "-":
        if sys.stdin.isatty():
            stop("There is no query.", "Give it as an argument, or on standard input.")
        query = sys.stdin.buffer.read(QUERY_BYTES_MAX + 1).decode("utf-8", "replace")
    text = query.strip().rstrip(";").rstrip()
    if not text:
        stop("There is no query.", "Give it as an argument, or on standard input.")
    if len(text.encode()) > QUERY_BYTES_MAX:
        stop(f"The query is longer than {QUERY_BYTES_MAX} bytes.")
    return text


def _table(content: bytes, most: int) -> None:
    said = msgspec.json.decode(content)
    names = [str(one["name"]) for one in said["meta"]]
    types = [str(one["type"]) for one in said["meta"]]
    width_most = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in lines(names, types, said["data"][:most], width_most):
        click.echo(line)
    click.echo(_footer(said, most))


def _footer(said: dict[str, Any], most: int) -> str:
    count, statistics = int(said["rows"]), said.get("statistics", {})
    counted = f"{count:,} row{'' if count == 1 else 's'}"
    if count > most:
        counted += f", {most:,} of them shown (--rows)"
    read = int(statistics.get("rows_read", 0))
    elapsed_s = float(statistics.get("elapsed", 0.0))
    return f"{counted}; {read:,} read in {elapsed_s:.3f} s"


def _print(content: bytes) -> None:
    sys.stdout.buffer.write(content if content.endswith(b"\n") or not content else content + b"\n")
    sys.stdout.buffer.flush()


def _refused(answer: httpx2.Response) -> None:
    """Say what the server says, as a sentence, and end."""
    try:
        said = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        said = {"error": f"The server answered {answer.status_code}: {answer.text}"}
    error, hint = _whole(said.get("error", "")), _whole(said.get("hint", ""))
    stop(error, "" if hint in error else hint)


def _whole(text: object) -> str:
    """Return a sentence of the server, cut at a length that errors of the engine keep within."""
    said = str(text)
    return "".join(shown(part) for part in _pieces(said))


def _pieces(text: str, size: int = 200, most: int = 10) -> list[str]:
    return [text[start : start + size] for start in range(0, min(len(text), size * most), size)]
