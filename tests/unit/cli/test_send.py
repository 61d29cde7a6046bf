from pathlib import Path

from click.testing import CliRunner

from playhead.cli.send import command

NOWHERE = "http://127.0.0.1:9"


def test_no_server_is_said_in_a_sentence() -> None:
    result = CliRunner().invoke(command, ["--url", NOWHERE])
    assert result.exit_code == 1
    assert f"Nothing answers at {NOWHERE}." in result.output


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text('{"eventType": "PLAY", "timestamp": 1}\n{"eventType"\n')
    result = CliRunner().invoke(command, ["--url", NOWHERE, "--file", str(file)])
    assert result.exit_code == 1
    assert "Line 2 of" in result.output


def test_an_empty_input_is_refused() -> None:
    result = CliRunner().invoke(command, ["--url", NOWHERE, "--file", "-"], input="\n")
    assert "There are no events" in result.output


def test_an_address_without_http_is_understood() -> None:
    result = CliRunner().invoke(command, ["--url", NOWHERE.removeprefix("http://")])
    assert f"Nothing answers at {NOWHERE}." in result.output
