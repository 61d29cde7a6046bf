"""What was refused is untrusted text: the terminal shows it and does not obey it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from playhead.cli.asking import TEXT_SHOWN, shown
from playhead.cli.quarantine import COLUMNS, _aligned, _head_of, command


def test_a_body_cannot_write_to_the_terminal() -> None:
    assert shown("\x1b[2J\x9b1m\r\n\x07\u202eüt") == "\\x1b[2J\\x9b1m\\r\\n\\x07\\u202eüt"
    assert shown("x" * 1_000) == "x" * TEXT_SHOWN + "…"


def test_no_token_is_said_in_a_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["list", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "admin.token cannot be read: No such file or directory." in result.output


@pytest.mark.parametrize("content", ["", "two words", "token\nand a line of a secret", "\x1b[2J"])
def test_a_file_that_holds_no_token_is_not_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "admin.token").write_text(content)
    result = CliRunner().invoke(command, ["list", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output == f"playhead: {tmp_path / 'admin.token'} holds no token.\n"


def test_columns_stay_apart_whatever_a_sender_named() -> None:
    row = {"received_at": "2026-01-02T03:04:05.678Z", "door": "cdn", "code": "invalid_line"}
    short = row | {"id": "7-1", "source": ""}
    long = row | {"id": "123456789-3", "source": f"fastly&fields={'c-ip,' * 50}"}
    assert _aligned([COLUMNS, _head_of(short), _head_of(long)]) == [
        "ID           RECEIVED              DOOR  SOURCE  REASON",
        "7-1          2026-01-02 03:04:05Z  cdn           invalid_line",
        "123456789-3  2026-01-02 03:04:05Z  cdn   fastly  invalid_line",
    ]


def test_no_server_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text("secret")
    result = CliRunner().invoke(command, ["retry", "--data", str(tmp_path), "--url", "127.0.0.1:9"])
    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:9." in result.output
