"""The options every serving command shares, and how they become one `Config`."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from playhead.config import file
from playhead.errors import PlayheadError

F = TypeVar("F", bound=Callable[..., Any])

DATA = "playhead-data"


def serving_options(command: F, *, data: str = DATA) -> F:
    """Add --data, --host, --port and --config to a command; `data` is its default folder."""
    options = (
        click.option("--data", metavar="DIR", help=f"The data folder (default: {data})."),
        click.option("--host", metavar="HOST", help="Address to listen on (default: 127.0.0.1)."),
        click.option(
            "--port",
            metavar="PORT",
            type=click.IntRange(0, 65535),
            help="Port to listen on (default: 8700); 0 takes a free one.",
        ),
        click.option(
            "--config",
            "config_file",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help="A TOML file of settings.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def load(
    data: str | None,
    host: str | None,
    port: int | None,
    config_file: Path | None,
    more: Mapping[str, object] = {},
) -> file.Loaded:
    """Read the settings, `more` (`section.key` to value) on top; a mistake is said and exits with 2."""
    overrides = {"data.dir": data, "server.host": host, "server.port": port, **more}
    try:
        return file.load(config_file, overrides=overrides)
    except PlayheadError as error:
        fail(error)


def arguments_of(
    data: str | None, host: str | None, port: int | None, config_file: Path | None
) -> list[str]:
    """Return the options again, for a child process that must see the same settings."""
    pairs = (("--data", data), ("--host", host), ("--port", port), ("--config", config_file))
    return [word for name, value in pairs if value is not None for word in (name, str(value))]


def fail(error: PlayheadError, code: int = 2) -> NoReturn:
    """Print what went wrong and what to do, and exit."""
    click.echo(f"playhead: {error.message}", err=True)
    if error.hint:
        click.echo(f"          {error.hint}", err=True)
    sys.exit(code)
