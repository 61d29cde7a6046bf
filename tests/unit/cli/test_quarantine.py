"""What was refused is untrusted text: the terminal shows it and does not obey it."""

from pathlib import Path

from click.testing import CliRunner

from playhead.cli.quarantine import BODY_SHOWN, command, shown


def test_a_body_cannot_write_to_the_terminal() -> None:
    assert shown("\x1b[2J\x9b1m\r\n\x07\u202eüt") == "\\x1b[2J\\x9b1m\\r\\n\\x07\\u202eüt"
    assert shown("x" * 1_000) == "x" * BODY_SHOWN + "…"


def test_no_token_is_said_in_a_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["list", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "admin.token cannot be read: No such file or directory." in result.output


def test_no_server_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text("secret")
    result = CliRunner().invoke(command, ["retry", "--data", str(tmp_path), "--url", "127.0.0.1:9"])
    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:9." in result.output
