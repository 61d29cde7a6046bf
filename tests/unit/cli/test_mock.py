from pathlib import Path

import pytest
from click.testing import CliRunner

from playhead.cli.mock import command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "datasources").mkdir()
    text = "SCHEMA >\n    `at` DateTime `json:$.at`,\n    `title` String `json:$.title`\n"
    (tmp_path / "datasources/plays.datasource").write_text(text)
    return tmp_path


def test_a_fixture_is_written_once_and_replaced_only_when_told(folder: Path) -> None:
    asked = ["plays", "--project", str(folder), "--rows", "3", "--seed", "1"]
    assert CliRunner().invoke(command, asked).exit_code == 0
    first = (folder / "fixtures/plays.ndjson").read_bytes()
    assert first.count(b"\n") == 3
    again = CliRunner().invoke(command, [*asked[:-1], "2"])
    assert (again.exit_code, "is there already" in again.output) == (1, True)
    assert (folder / "fixtures/plays.ndjson").read_bytes() == first
    assert CliRunner().invoke(command, [*asked, "--replace"]).exit_code == 0
    assert (folder / "fixtures/plays.ndjson").read_bytes() == first


def test_rows_on_standard_output_leave_the_folder_alone(folder: Path) -> None:
    asked = ["plays", "--project", str(folder), "--rows", "2", "--seed", "1", "--stdout"]
    made = CliRunner().invoke(command, [*asked, "--until", "2025-01-08"])
    assert made.output.count('{"at":"2025-01-0') == 2
    assert not (folder / "fixtures").exists()


def test_an_unknown_data_source_is_said_with_those_there_are(folder: Path) -> None:
    result = CliRunner().invoke(command, ["plaice", "--project", str(folder)])
    assert result.exit_code == 1
    assert "The project has plays." in result.output
