from pathlib import Path

from click.testing import CliRunner

from playhead.cli.seed import command


def test_without_a_running_server_it_says_what_to_start(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--views", "10", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert f"There is no running store at {tmp_path}." in result.output
    assert "playhead up" in result.output
