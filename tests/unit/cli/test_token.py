from pathlib import Path

import pytest
from click.testing import CliRunner

from playhead.cli.token import command


@pytest.mark.parametrize("words", [["ls"], ["rm", "0123"]])
def test_a_mistyped_data_folder_is_said_and_not_made(tmp_path: Path, words: list[str]) -> None:
    folder = tmp_path / "nowhere"
    result = CliRunner().invoke(command, [*words, "--data", str(folder)])
    assert result.exit_code == 1
    assert "There is no Playhead data in" in result.output
    assert not folder.exists()


def test_a_token_may_be_made_before_the_first_start(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = CliRunner().invoke(command, ["create", "--name", "dashboard", "--data", str(folder)])
    assert made.stdout.startswith("ph_read_")
    assert str(folder) in made.stderr
    assert "dashboard" in CliRunner().invoke(command, ["ls", "--data", str(folder)]).output
