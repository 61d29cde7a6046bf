import json
from pathlib import Path

from click.testing import CliRunner, Result

from playhead.cli import main


def shown(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["config", "show", *arguments], env=env)


def test_every_setting_stands_on_a_line_with_its_origin() -> None:
    result = shown("--port", "9", env={"PLAYHEAD_LOG__IDLE_TICK_MS": "7"})
    lines = {line.split()[0]: line for line in result.output.splitlines()}
    assert result.exit_code == 0
    assert lines["server.port"].endswith("9  (command line)")
    assert lines["log.idle_tick_ms"].endswith("7  (environment PLAYHEAD_LOG__IDLE_TICK_MS)")
    assert lines["server.host"].endswith('"127.0.0.1"  (default)')


def test_as_json_it_can_be_read_by_machines(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[data]\ndir = "elsewhere"\n')
    listing = json.loads(shown("--json", "--config", str(file)).output)
    assert listing["data.dir"] == {"value": "elsewhere", "origin": f"file {file}"}


def test_a_mistake_is_a_sentence_and_exit_2(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[server]\nprot = 1\n")
    result = shown("--config", str(file))
    assert result.exit_code == 2
    assert "prot" in result.output
    assert "Traceback" not in result.output
