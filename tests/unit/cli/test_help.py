from importlib.metadata import version

import pytest
from click.testing import CliRunner

from playhead.cli import main

COMMANDS = (
    "up",
    "upgrade",
    "demo",
    "send",
    "replay",
    "seed",
    "rebuild",
    "report",
    "quarantine",
    "space",
    "cmcd",
    "pipe",
    "build",
    "dev",
    "deploy",
    "deployment",
    "test",
    "mock",
    "sql",
    "doctor",
    "config",
    "fmt",
    "token",
    "viewer",
    "backup",
    "restore",
)


def test_help_lists_every_command() -> None:
    lines = CliRunner().invoke(main, ["--help"]).output.splitlines()
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line.strip()]
    assert tuple(listed) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["fly"]).exit_code == 2
    assert version("playhead") in CliRunner().invoke(main, ["--version"]).output
