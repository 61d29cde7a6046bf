"""The command line: one file a command, imported only when that command is called."""

import importlib
from typing import Any

import click

from playhead import __version__

_COMMANDS = {
    "up": "Serve everything from one data folder.",
    "demo": "Serve with simulated viewers and show live numbers.",
    "send": "Send events and print what the server says of each.",
    "replay": "Replay recorded files: telemetry, tables, CDN logs, CMCD.",
    "seed": "Make history: view rows straight into the store.",
    "report": "Print what was watched and how well, or make a page of it.",
    "quarantine": "List what was refused, and take it up again.",
    "cmcd": "Say what CMCD in a query, in headers or in a body means.",
    "pipe": "Show the SQL that a pipe's node makes of parameters.",
    "build": "Build a project: tables, materialized views, endpoints.",
    "test": "Run a project's tests in a workspace of their own.",
    "config": "Show every setting, its value and where it came from.",
    "fmt": "Check data files, and write them in their usual form.",
    "token": "Create, list and revoke tokens.",
}


class _Lazy(click.Group):
    """A group that knows its commands' names without importing them: `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"playhead.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="playhead")
def main(**_: Any) -> None:
    """Playhead: real-time analytics for video streaming, on your own machine."""
