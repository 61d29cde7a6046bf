"""`playhead cmcd decode`: what a query string, a set of headers or a body of CMCD means."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from playhead.clock import SystemClock
from playhead.model.cmcd import Cmcd, decode_headers, decode_line, decode_query, events_of
from playhead.model.cmcd.fields import parse_dictionary
from playhead.model.cmcd.keys import EVENTS, KEYS, VERSION_MAX
from playhead.model.cmcd.record import line_of

NOTHING = "There is no CMCD in it: no key of the standard and none with a prefix."
VALUE_SHOWN_CHARS = 200
COLUMN_MAX_CHARS = 24
"""A longer value pushes its own meaning to the right, not those of the other lines."""


@click.group(name="cmcd")
def command() -> None:
    """Say what CMCD (CTA-5004-B) means: versions 1 and 2, request and event mode."""


@command.command(name="decode", short_help="Print each key, its value and its meaning.")
@click.argument("text", required=False)
@click.option(
    "--headers",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Read headers, one 'Name: value' a line; '-' reads standard input.",
)
@click.option(
    "--batch",
    is_flag=True,
    help='Read lines or {"query"|"line"|"headers": …} a line, print a JSON object for each.',
)
def decode(text: str | None, headers: Path | None, *, batch: bool) -> None:
    """Print each key of TEXT, its value and meaning, and what could not be read.

    TEXT is a URL, a query string, the value of CMCD= or a body of records; without it standard
    input is read. Exits with 1 when there is no CMCD in it.
    """
    if batch:
        _print_batch([text] if text is not None else sys.stdin)
        return
    if headers is not None:
        found = _headers_of(headers)
        _finish([_shown(decode_headers(found), None)])
        return
    lines = (sys.stdin.read() if text is None else text).split("\n")
    _finish([_shown(_decoded(line), line_of(line)) for line in lines if line.strip()])


def _finish(shown: list[str | None]) -> None:
    """Print what was found; exit with 1 when a part of it was no CMCD, or there was none."""
    click.echo("\n\n".join(NOTHING if one is None else one for one in shown) or NOTHING)
    sys.exit(1 if not shown or None in shown else 0)


def _decoded(line: str) -> Cmcd | None:
    return decode_query(line) if "cmcd=" in line.lower() else decode_line(line)


def _headers_of(file: Path) -> dict[str, str]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8", "replace")
    except OSError as error:
        click.echo(f"playhead: The file {file} cannot be read: {error.strerror}.", err=True)
        sys.exit(2)
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _shown(cmcd: Cmcd | None, line: str | None) -> str | None:
    """Return a record as a person reads it; None if there is none."""
    if cmcd is None:
        return None
    about = [f"CMCD version {cmcd.version}"]
    if line is not None and not _is_exact(line):
        about.append("written otherwise than the standard says (RFC 8941)")
    rows = [(name, _printable(value), _meaning(name, value)) for name, value in cmcd.values.items()]
    rows += [(name, _printable(value), "custom key") for name, value in cmcd.custom.items()]
    sizes = [[len(row[column]) for row in rows] for column in (0, 1)]
    wide = [
        max((size for size in column if size <= COLUMN_MAX_CHARS), default=0) for column in sizes
    ]
    out = [", ".join(about)]
    out += [f"  {name:<{wide[0]}}  {value:<{wide[1]}}  {said}" for name, value, said in rows]
    if cmcd.faults:
        out += ["not read:", *(f"  {_plain(fault)}" for fault in cmcd.faults)]
    events = _events_of(cmcd)
    if events:
        out.append(f"becomes: {', '.join(events)}")
    return "\n".join(line.rstrip() for line in out)


def _is_exact(line: str) -> bool:
    try:
        parse_dictionary(line)
    except ValueError:
        return False
    return True


def _events_of(cmcd: Cmcd) -> list[str]:
    if cmcd.version > VERSION_MAX:
        return []
    return [event.event_type for event in events_of(cmcd, SystemClock().now_ms())]


def _printable(value: object) -> str:
    """Return a value as CMCD writes it, without what a terminal would act on."""
    if isinstance(value, list):
        shown = " ".join(f"{one};{kind}" if kind else str(one) for one, kind in value)
        shown = f"({shown})" if len(value) != 1 or value[0][1] else shown
    elif isinstance(value, bool):
        shown = "true" if value else "false"
    else:
        shown = str(value)
    return _plain(shown)


def _plain(text: str) -> str:
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= VALUE_SHOWN_CHARS else text[: VALUE_SHOWN_CHARS - 1] + "…"


def _meaning(name: str, value: object) -> str:
    key = KEYS[name]
    unit = f" ({key.unit})" if key.unit else ""
    words: Mapping[str, str] = EVENTS if name == "e" else key.words or {}
    word = words.get(value, "") if isinstance(value, str) else ""
    return f"{key.meaning}{unit}{': ' if word else ''}{word}"


def _print_batch(lines: Iterable[str]) -> None:
    """Print one JSON object a line; what is no CMCD gets `{"error": …}` in its place."""
    for line in lines:
        if not line.strip():
            continue
        cmcd = _batched(line)
        told: dict[str, Any] = {"error": NOTHING}
        if cmcd is not None:
            told = {**msgspec.structs.asdict(cmcd), "events": _events_of(cmcd)}
        click.echo(msgspec.json.encode(told).decode())


def _batched(line: str) -> Cmcd | None:
    """Read a line of a batch: an object that says what it holds, else the record itself."""
    if line.lstrip()[:1] == "{":
        try:
            item = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            return None
        headers = item.get("headers")
        if isinstance(headers, dict):
            return decode_headers({name: str(value) for name, value in headers.items()})
        if "query" in item:
            return decode_query(str(item["query"]))
        return decode_line(str(item.get("line", "")))
    return _decoded(line)
