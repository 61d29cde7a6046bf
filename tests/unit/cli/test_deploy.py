"""What the commands of deployments print."""

from pathlib import Path

from click.testing import CliRunner

from playhead.cli import main
from playhead.cli.deployment import row


def test_an_error_with_a_place_reads_like_a_compiler_s() -> None:
    error = {"filename": "a.pipe", "error": "line 3, column 7: there is no 'x'."}
    assert row(error) == "a.pipe:3:7: there is no 'x'."
    assert row({"filename": "", "error": "The store went away."}) == "The store went away."


def test_what_a_server_says_cannot_steer_the_terminal() -> None:
    shown = row({"filename": "a\x1b[2J", "error": "no\x1b[31m: \n\tthing"})
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_a_folder_without_a_project_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["deploy", "--project", str(tmp_path)])
    assert (done.exit_code, "no .datasource or .pipe file" in done.output) == (1, True)
