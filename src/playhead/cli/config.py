"""`playhead config show`: every setting, its value and where it came from."""

import json
from pathlib import Path

import click

from playhead.cli.settings import load, serving_options
from playhead.config.file import flatten


@click.group(name="config")
def command() -> None:
    """Show every setting, its value and where it came from."""


@command.command(name="show")
@serving_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def show(
    data: str | None, host: str | None, port: int | None, config_file: Path | None, *, as_json: bool
) -> None:
    """Print every setting, its value and where it came from."""
    rows = flatten(load(data, host, port, config_file))
    if as_json:
        listing = {name: {"value": value, "origin": origin} for name, value, origin in rows}
        click.echo(json.dumps(listing, indent=2))
        return
    width = max(len(name) for name, _, _ in rows)
    for name, value, origin in rows:
        click.echo(f"{name:<{width}}  {json.dumps(value)}  ({origin})")
