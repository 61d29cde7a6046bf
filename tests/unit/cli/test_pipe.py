import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from playhead.cli.pipe import FILE_MAX_BYTES, command

PIPE = """
NODE per_title
SQL >
    SELECT title, count() AS views FROM video_streaming_events GROUP BY title

NODE endpoint
SQL >
    %
    SELECT * FROM per_title WHERE title = {{String(title)}} LIMIT {{Int32(page_size, 100)}}
"""
TEMPLATE = "%\n{{Array(ns, 'Int32')}}"


@pytest.fixture
def pipe(tmp_path: Path) -> str:
    (tmp_path / "top.pipe").write_text(PIPE)
    return str(tmp_path / "top.pipe")


def run(*words: str, given: str | bytes = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(command, ["render", *words], input=given)
    return result.exit_code, result.stdout, result.stderr


def batch(*lines: object) -> list[dict[str, object]]:
    given = "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)
    code, out, _ = run("--batch", given=given)
    assert (code, out.count("\n")) == (0, len(lines))
    return [json.loads(line) for line in out.splitlines()]


def test_the_endpoint_s_sql_is_printed(pipe: str) -> None:
    code, out, err = run(pipe, "--params", "title=It%27s&page_size=5")
    assert (code, err) == (0, "")
    assert out.strip() == ("SELECT * FROM per_title WHERE title = 'It\\'s' LIMIT toInt32('5')")


def test_another_node_and_check_mode(pipe: str) -> None:
    assert run(pipe, "--node", "per_title")[1].startswith("SELECT title, count()")
    assert "title = '__no_value__'" in run(pipe, "--check")[1]


def test_what_a_pipe_includes_is_read_from_beside_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "base.incl").write_text("NODE base\nSQL >\n    SELECT $n AS n\n")
    file = tmp_path / "plays.pipe"
    file.write_text('INCLUDE "parts/base.incl" n=7\n')
    assert run(str(file))[:2] == (0, "SELECT 7 AS n\n")
    file.write_text('INCLUDE "parts/none.incl" n=7\n')
    assert "parts/none.incl that is included is not there" in run(str(file))[2]


def test_a_refusal_is_said_and_ends_with_1(pipe: str) -> None:
    code, out, err = run(pipe)
    assert (code, out) == (1, "")
    assert "Check the parameters title." in err
    assert "no node 'x'; it has per_title, endpoint" in run(pipe, "--node", "x")[2]


def test_other_data_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "plays.datasource"
    file.write_text("SCHEMA >\n    at DateTime\n")
    assert run(str(file)) == (1, "", f"playhead: {file} is no pipe. Name a .pipe file, or one with a template.\n")  # fmt: skip
    assert "error" in batch({"file": str(file)})[0]


def test_a_file_that_is_no_pipe_is_said(tmp_path: Path, pipe: str) -> None:
    file = tmp_path / "bad.pipe"
    file.write_text("COLOUR red\nNODE a\nSQL >\n    SELECT 1\n")
    code, _, err = run(str(file))
    assert (code, "bad.pipe:1:" in err) == (1, True)
    assert "cannot be read" in run(str(tmp_path / "none.pipe"))[2]
    assert run()[0] == 2


def test_a_secret_may_be_given(tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.write_text("% SELECT {{tb_secret('cdn_key')}}")
    assert run(str(file), "--secret", "cdn_key=a=b")[1].strip() == "SELECT {cdn_key: String}"
    assert "The secret 'cdn_key' is not set" in run(str(file))[2]


def test_a_folder_or_a_device_is_no_file(tmp_path: Path) -> None:
    assert "is no file" in run(str(tmp_path))[2]
    assert "is no file" in run("/dev/zero")[2]


def test_a_batch_answers_each_line(pipe: str) -> None:
    told = batch(
        {"id": "a", "file": pipe, "params": {"title": "x"}},
        {"id": 2, "text": PIPE, "node": "per_title"},
        {"id": [3], "text": PIPE, "mode": "check"},
        {"id": 4, "text": TEMPLATE, "params": {"ns": ["1", "2"]}},
        {"id": 5, "text": TEMPLATE, "params": {"ns": "1,2"}},
        {"id": 6, "text": "SELECT 1"},
    )
    assert [one["id"] for one in told] == ["a", 2, [3], 4, 5, 6]
    assert [str(one["sql"]).split()[0] for one in told] == [
        "SELECT", "SELECT", "SELECT", "[1,2]", "[1,2]", "SELECT",
    ]  # fmt: skip


def test_a_batch_says_what_is_wrong_and_goes_on(pipe: str) -> None:
    told = batch(
        "{", "", "[1]", "\x00", {"id": 1}, {"id": 2, "text": 3}, {"id": 3, "text": "x", "mode": "y"},
        {"id": 4, "text": "x", "params": [1]}, {"id": 5, "text": "x", "params": {"a": {}}},
        {"id": 6, "text": "% {{a}}", "params": {"a": None}}, {"id": 7, "file": "/none"},
        {"id": 8, "text": "SELECT {{a}}"}, {"id": 9, "text": "x", "file": pipe}, {"id": 10, "text": "x", "node": 1},
        {"id": 11, "text": "% {% while 1 %}x{% end %}"}, {"id": 12, "file": "a\0b"},
        {"id": 13, "text": "% {{custom_error({'a': 1}, 403)}}"},
    )  # fmt: skip
    assert [one["id"] for one in told[4:]] == list(range(1, 14))
    assert all(set(one) == {"id", "error"} and one["error"] for one in told)
    assert told[-1]["error"] == '{"a": 1}'


def test_a_line_that_is_too_long_takes_no_other_with_it() -> None:
    long = json.dumps({"id": 1, "text": "x" * (2 * FILE_MAX_BYTES)})
    told = batch(long, {"id": 2, "text": "SELECT 1"})
    assert "longer than" in str(told[0]["error"])
    assert told[1] == {"id": 2, "sql": "SELECT 1"}


def test_bytes_that_are_no_text_are_said() -> None:
    code, out, _ = run("--batch", given=b'{"id":1,"text":"\xff"}\n{"id":2,"text":"x"}')
    assert [json.loads(line)["id"] for line in out.splitlines()] == [None, 2]
    assert code == 0


def test_a_bare_text_with_braces_is_a_template_without_its_mark() -> None:
    asked = {"id": 1, "text": "SELECT {{Int32(n, 7)}}", "params": {"n": "3"}}
    done = CliRunner().invoke(command, ["render", "--batch"], input=json.dumps(asked))
    assert json.loads(done.output) == {"id": 1, "sql": "SELECT toInt32('3')"}
