"""How findings are printed, and what the command answers with nothing there."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from playhead.cli.doctor import command, lines
from playhead.doctor.finding import Findings
from support.server import free_port


def findings() -> Findings:
    found = Findings()
    found.ok("server", "It answers.")
    found.bad("open files", "The web process may open 256 files. " * 3, "Set LimitNOFILE=65536.")
    found.skip("memory", "this system does not tell")
    return found


@pytest.mark.parametrize("width", [40, 80, 110])
def test_lines_fit_the_terminal(width: int) -> None:
    said = list(lines(findings(), width=width, colours=False))
    assert max(map(len, said)) <= width
    assert said[-1] == "1 bad, 0 warnings, 1 fine."
    assert any("→ Set LimitNOFILE=65536." in line for line in said)


def test_what_a_server_says_cannot_move_the_cursor() -> None:
    found = Findings()
    found.warn("ready", "a\x1b[2Jb", "c\nd")
    text = "\n".join(lines(found, width=80, colours=False))
    assert "\x1b" not in text
    assert "a\\x1b[2Jb" in text


def test_a_server_that_is_down_is_bad_and_its_folder_is_looked_at(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    url = f"http://127.0.0.1:{free_port()}"
    done = CliRunner().invoke(command, ["--url", url, "--data", str(tmp_path), "--json"])
    told = json.loads(done.output)
    assert (done.exit_code, told["worst"]) == (2, "bad")
    checks = {one["check"]: one["level"] for one in told["findings"]}
    assert (checks["server"], checks["port"], checks["folder"]) == ("bad", "ok", "ok")


@pytest.mark.parametrize("text", [None, "", "two words", "\xff"])
def test_a_token_file_that_holds_none_is_said(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text, "latin-1")
    done = CliRunner().invoke(command, ["--url", "http://127.0.0.1:1", "--token-file", str(path)])
    assert done.exit_code == 2
    assert str(path.name) in done.output
    assert "cannot be reached" not in done.output


def test_an_address_that_is_none_is_a_finding(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    options = ["--url", "http://127.0.0.1:99999", "--data", str(tmp_path), "--json"]
    done = CliRunner().invoke(command, options)
    assert done.exit_code == 2
    assert json.loads(done.output)["findings"][0]["check"] == "server"
