"""The command line: one file a command, imported only when that command is called."""

import importlib
from typing import Any

import click

from playhead import __version__

_COMMANDS = {
    "up": "Serve everything from one data folder.",
    "upgrade": "Bring a data folder to this release, or say what would change.",
    "demo": "Serve with simulated viewers and show live numbers.",
    "send": "Send events and print what the server says of each.",
    "replay": "Replay recorded files: telemetry, tables, CDN logs, CMCD.",
    "seed": "Make history: view rows straight into the store.",
    "rebuild": "Fold stored events again, and show what changes before it counts.",
    "report": "Print what was watched and how well, or make a page of it.",
    "quarantine": "List what was refused, and take it up again.",
    "space": "Show what uses the disk, until when, and when it is full.",
    "cmcd": "Say what CMCD in a query, in headers or in a body means.",
    "pipe": "Show the SQL that a pipe's node makes of parameters.",
    "build": "Build a project: tables, materialized views, endpoints.",
    "dev": "Build a project at every save, and run the tests of what changed.",
    "deploy": "Deploy a project to a running server, beside what is live.",
    "deployment": "List, promote and discard deployments.",
    "test": "Run a project's tests in a workspace of their own.",
    "mock": "Make rows that fit a data source.",
    "sql": "Ask the running server a query.",
    "doctor": "Look for what is out of order, and say what to do.",
    "config": "Show every setting, its value and where it came from.",
    "fmt": "Check data files, and write them in their usual form.",
    "token": "Create, list and revoke tokens.",
    "viewer": "Export or delete everything about one viewer.",
    "backup": "Make a backup, list, check and prune backups.",
    "restore": "Restore a backup into a new data folder.",
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
