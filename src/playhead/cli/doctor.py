"""`playhead doctor`: what is out of order with a server and its folder, and what to do about it."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from playhead.cli.asking import DATA_FOLDERS, TOKEN_FILE, URL_HELP, server_of
from playhead.cli.settings import fail, load
from playhead.clock import SystemClock
from playhead.doctor.examination import examine
from playhead.doctor.finding import Finding, Findings, Level
from playhead.doctor.patient import Patient
from playhead.errors import PlayheadError

EXIT: Final = {Level.OK: 0, Level.WARN: 1, Level.BAD: 2}
WIDTH_MAX: Final = 110
WIDTH_MIN: Final = 40
_MARKS: Final = {Level.OK: "ok  ", Level.WARN: "warn", Level.BAD: "bad "}
_COLOURS: Final = {Level.OK: "green", Level.WARN: "yellow", Level.BAD: "red"}
_TOKEN_MAX_BYTES: Final = 4_096


@click.command(name="doctor")
@click.option("--url", metavar="URL", help=URL_HELP)
@click.option("--data", metavar="DIR", help="Its data folder; it is looked at as well.")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The TOML file of settings that the server is started with.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with a token (default: admin.token of the data folder).",
)
@click.option(
    "--origin",
    "origins",
    metavar="URL",
    multiple=True,
    help="The site of a player, https://www.example.org: may its pages send? May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(
    *,
    url: str | None,
    data: str | None,
    config_file: Path | None,
    token_file: Path | None,
    origins: tuple[str, ...],
    as_json: bool,
) -> None:
    """Look for what is out of order, and say what to do about it; nothing is changed.

    Looks at a running server and at its data folder where that is on this machine; with the server
    down it says so and looks at the folder. Give the address that players use with --url to look
    through the proxy. Exits with 0 when all is well, 1 with warnings, 2 when something is bad.
    """
    folder = _folder(data, url)
    patient = Patient(
        url=server_of(url, data).rstrip("/"),
        config=load(data, None, None, config_file).config,
        clock=SystemClock(),
        folder=folder,
        secret=_secret(token_file, folder),
        origins=tuple(origin.rstrip("/") for origin in origins),
    )
    try:
        findings = examine(patient)
    except PlayheadError as error:
        fail(error)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(told(findings))).decode())
    else:
        width = min(WIDTH_MAX, max(WIDTH_MIN, shutil.get_terminal_size((80, 24)).columns))
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        for line in lines(findings, width=width, colours=colours):
            click.echo(line, color=colours or None)
    sys.exit(EXIT[findings.worst()])


def told(findings: Findings) -> dict[str, object]:
    """Return the findings as `--json` prints them."""
    return {
        "worst": findings.worst(),
        "findings": findings.found,
        "not_looked_at": findings.skipped,
    }


def lines(findings: Findings, *, width: int, colours: bool) -> Iterator[str]:
    """Yield the findings line by line: each with its level, what was found, and the remedy below."""
    wide = max((len(one.check) for one in findings.found), default=0)
    for one in findings.found:
        yield from _lines_of(one, wide, width, colours=colours)
    yield ""
    for skipped in findings.skipped:
        yield from textwrap.wrap(f"Not looked at: {_clean(skipped)}.", width)
    yield _summary(findings, colours=colours)


def _lines_of(one: Finding, wide: int, width: int, *, colours: bool) -> Iterator[str]:
    mark = click.style(_MARKS[one.level], fg=_COLOURS[one.level], bold=True)
    head = f"{mark if colours else _MARKS[one.level]}  {one.check:<{wide}}  "
    indent = len(_MARKS[one.level]) + wide + 4
    if width - indent < WIDTH_MIN:  # a narrow terminal: the text below its name
        yield head.rstrip()
        head, indent = " " * 6, 6
    first, *rest = textwrap.wrap(_clean(one.found), width - indent) or [""]
    yield head + first
    yield from (" " * indent + line for line in rest)
    for number, line in enumerate(textwrap.wrap(_clean(one.remedy), width - indent - 2)):
        yield " " * indent + ("→ " if number == 0 else "  ") + line


def _summary(findings: Findings, *, colours: bool) -> str:
    worst = findings.worst()
    counts = {level: sum(one.level is level for one in findings.found) for level in Level}
    if worst is Level.OK:
        text = f"All is well: {counts[Level.OK]} checks."
    else:
        warned = counts[Level.WARN]
        warnings = f"{warned} warning{'' if warned == 1 else 's'}"
        text = f"{counts[Level.BAD]} bad, {warnings}, {counts[Level.OK]} fine."
    return click.style(text, fg=_COLOURS[worst], bold=True) if colours else text


def _folder(data: str | None, url: str | None) -> Path | None:
    """Return the data folder named, else one lying here; none where only an address was named."""
    if data is not None:
        return Path(data).expanduser().absolute()
    if url is not None:
        return None
    found = next((Path(name) for name in DATA_FOLDERS if Path(name).is_dir()), None)
    return found.absolute() if found else None


def _secret(token_file: Path | None, folder: Path | None) -> str:
    """Return the token of the file named, else of the data folder; empty if none can be read.

    Raises:
        BadParameter: The file named holds none.
    """
    path = token_file or (folder / TOKEN_FILE if folder else None)
    if path is None:
        return ""
    if token_file is not None and not token_file.exists():
        raise click.BadParameter(f"{token_file} is not there.")
    try:
        with path.open("rb") as opened:
            secret = opened.read(_TOKEN_MAX_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret.isprintable() or " " in secret:
        secret = ""
    if token_file is not None and not secret:
        raise click.BadParameter(f"{token_file} holds no token that can be read.")
    return secret


def _clean(text: str) -> str:
    """Return text as a terminal may show it: what is not printable is written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
