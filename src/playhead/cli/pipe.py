"""`playhead pipe render`: the SQL a pipe's node makes of a request's parameters."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl

import click
import msgspec

from playhead.errors import PlayheadError
from playhead.project.pipe import read_pipe
from playhead.project.problem import Unreadable
from playhead.project.resources import Node, Pipe
from playhead.template.rendering import CustomRefusal, Given, Inputs
from playhead.template.template import Template

FILE_MAX_BYTES = 4 * 1024 * 1024
"""Longest file, and longest line of a batch."""
PARAMETERS_MAX = 10_000
KEPT = 1_000
"""Pipes and templates of a batch that are kept, so that the same text is read once."""
BARE = "text"
"""What a template without a file is called in errors."""

_BEGINS = re.compile(r"^[ \t]*(?:NODE\b|SQL[ \t]*>)", re.IGNORECASE | re.MULTILINE)


class Wrong(Exception):
    """What is wrong with what was asked for, for a person to read."""


@click.group(name="pipe")
def command() -> None:
    """Look at pipes: what SQL their nodes make."""


@command.command(name="render", short_help="Print the SQL that would run.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--node", metavar="NAME", help="The node; else the endpoint, else the last.")
@click.option("--params", metavar="QUERY", default="", help="Parameters, as in a URL: 'a=1&b=2'.")
@click.option("--secret", metavar="NAME=VALUE", multiple=True, help="What tb_secret() finds.")
@click.option("--check", is_flag=True, help="Render without a request: placeholders for values.")
@click.option(
    "--batch",
    is_flag=True,
    help='Read {"id","file"|"text","node","params","mode"} a line, write {"id","sql"|"error"}.',
)
def render(
    file: Path | None,
    node: str | None,
    params: str,
    secret: tuple[str, ...],
    *,
    check: bool,
    batch: bool,
) -> None:
    """Print the SQL that a node of the pipe FILE would run with these parameters.

    Exits with 1 and says why when the template refuses them. No server is needed.
    """
    if batch:
        _answer_batch(sys.stdin.buffer)
        return
    if file is None:
        raise click.UsageError("Name a .pipe file, or ask for --batch.")
    try:
        secrets = {name: value for name, _, value in (one.partition("=") for one in secret)}
        inputs = Inputs(params=_parameters_of(params), secrets=secrets)
        sql = _rendered(_read(file), str(file), node, inputs, check=check)
    except Wrong as wrong:
        click.echo(f"playhead: {wrong}", err=True)
        sys.exit(1)
    click.echo(sql)


def _parameters_of(query: str) -> dict[str, Given]:
    """Return the parameters of a query string; a key that is repeated gets a list."""
    try:
        pairs = parse_qsl(
            query.removeprefix("?"), keep_blank_values=True, max_num_fields=PARAMETERS_MAX
        )
    except ValueError as error:
        raise Wrong(f"The parameters cannot be read: {error}.") from error
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _read(file: Path) -> str:
    try:
        if file.exists() and not file.is_file():
            # A pipe of the system or a device may never end.
            raise Wrong(f"{file} is no file.")
        with file.open("rb") as source:
            body = source.read(FILE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Wrong(f"The file {file} cannot be read: {reason}.") from error
    if len(body) > FILE_MAX_BYTES:
        raise Wrong(f"The file {file} is longer than {FILE_MAX_BYTES} bytes.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Wrong(f"The file {file} is not encoded as UTF-8.") from error


def _rendered(text: str, path: str, name: str | None, inputs: Inputs, *, check: bool) -> str:
    """Return the SQL of a node of the text of a pipe, or of a text that is no pipe."""
    try:
        node = _node_of(_pipe(text, path), name) if _is_pipe(text, path) else _bare(text)
        if not node.template:
            return node.sql
        template = _template(node.sql, node.name)
        made = template.check(secrets=inputs.secrets) if check else template.render(inputs)
    except CustomRefusal as refusal:
        raise Wrong(json.dumps(refusal.answer, ensure_ascii=False)) from refusal
    except Unreadable as unreadable:
        raise Wrong(unreadable.message) from unreadable
    except PlayheadError as error:
        raise Wrong(error.message) from error
    return made.sql


def _is_pipe(text: str, path: str) -> bool:
    """Whether a text is a pipe's file and not a bare template; a `.pipe` file always is."""
    if path.endswith(".pipe"):
        return True
    if path.endswith((".datasource", ".connection")):
        raise Wrong(f"{path} is no pipe. Name a .pipe file, or one with a template.")
    if _BEGINS.search(text) is None:
        return False
    try:
        _pipe(text, path)
    except PlayheadError:
        # A file that is meant to be a pipe begins with an instruction, SQL with SQL.
        return text.lstrip()[:1] not in {"%", "("} and not _SQL.match(text)
    return True


_SQL = re.compile(r"\s*(?:SELECT|WITH)\b", re.IGNORECASE)


def _node_of(pipe: Pipe, name: str | None) -> Node:
    if name is None:
        return pipe.output
    for node in pipe.nodes:
        if node.name == name:
            return node
    raise Wrong(
        f"The pipe has no node '{name}'; it has {', '.join(node.name for node in pipe.nodes)}."
    )


def _bare(text: str) -> Node:
    sql = text.strip()
    if sql.startswith("%"):
        return Node(name=BARE, sql=sql[1:], template=True)
    # In a file the `%` tells a template from SQL; here nobody means the braces of plain SQL.
    return Node(name=BARE, sql=sql, template="{{" in sql or "{%" in sql)


@lru_cache(KEPT)
def _pipe(text: str, path: str) -> Pipe:
    return read_pipe(text, name=Path(path).stem or BARE, path=path, include=_included)


def _included(path: str) -> str | None:
    try:
        return _read(Path(path))
    except Wrong:
        return None


@lru_cache(KEPT)
def _template(text: str, name: str) -> Template:
    return Template.compile(text, name=name)


def _answer_batch(source: BinaryIO) -> None:
    """Write one JSON object for each line, as soon as the line is there."""
    for line in _lines(source):
        asked: object = None
        told: dict[str, Any]
        try:
            asked = _asked(line)
            told = {"sql": _answered(asked)}
        except Wrong as wrong:
            told = {"error": str(wrong)}
        except Exception as error:  # noqa: BLE001 - a line never takes the others with it
            told = {"error": f"This could not be rendered: {type(error).__name__}."}
        key = asked.get("id") if isinstance(asked, dict) else None
        click.echo(json.dumps({"id": key, **told}))


def _lines(source: BinaryIO) -> Iterator[bytes | None]:
    """Yield each line; None for one that is too long, which is passed over."""
    while line := source.readline(FILE_MAX_BYTES):
        if line.endswith(b"\n") or len(line) < FILE_MAX_BYTES:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = source.readline(FILE_MAX_BYTES)
        yield None


def _asked(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise Wrong(f"The line is longer than {FILE_MAX_BYTES} bytes.")
    try:
        asked = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Wrong(f"The line is no JSON object: {error}.") from error
    if not isinstance(asked, dict):
        raise Wrong("The line is no JSON object.")
    return cast("dict[str, Any]", asked)


def _answered(asked: Mapping[str, Any]) -> str:
    text, path = asked.get("text"), asked.get("file")
    if (text is None) == (path is None):
        raise Wrong("Give either 'file' or 'text'.")
    if not isinstance(text if path is None else path, str):
        raise Wrong("'file' and 'text' are texts.")
    node = asked.get("node")
    if node is not None and not isinstance(node, str):
        raise Wrong("'node' is the name of a node.")
    mode = asked.get("mode") or "request"
    if mode not in {"request", "check"}:
        raise Wrong("'mode' is request or check.")
    inputs = Inputs(params=_given(asked.get("params")), secrets=_secrets(asked.get("secrets")))
    body = _read(Path(path)) if isinstance(path, str) else str(text)
    return _rendered(body, path or BARE, node or None, inputs, check=mode == "check")


def _given(params: object) -> dict[str, Given]:
    """Return the parameters of a line; null and an empty list are absent."""
    if isinstance(params, str):
        return _parameters_of(params)
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise Wrong("'params' is an object of texts or lists of texts.")
    return {
        name: [_text(one) for one in value] if isinstance(value, list) else _text(value)
        for name, value in params.items()
        if value is not None and value != []
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Wrong("'params' is an object of texts or lists of texts.")


def _secrets(secrets: object) -> dict[str, str]:
    if secrets is None:
        return {}
    if not isinstance(secrets, dict):
        raise Wrong("'secrets' is an object of texts.")
    return {name: _text(value) for name, value in secrets.items()}
