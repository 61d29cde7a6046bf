import json
from pathlib import Path

from click.testing import CliRunner

from playhead.cli.cmcd import NOTHING, command

QUERY = "bl%3D21300%2Cbr%3D3200%2Cbs%2Cd%3D4004%2Cot%3Dv%2Csid%3D%226e2fb550%22"


def run(*words: str, given: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(command, ["decode", *words], input=given)
    return result.exit_code, result.output


def test_each_key_gets_its_value_and_meaning() -> None:
    code, output = run(f"https://cdn.example/1.m4s?CMCD={QUERY}&token=x")
    assert code == 0
    assert [line.split(None, 2) for line in output.splitlines()[1:-1]] == [
        ["bl", "21300", "buffer length (ms)"],
        ["br", "3200", "encoded bitrate (kbit/s)"],
        ["bs", "true", "buffer starved since the last report"],
        ["d", "4004", "object duration (ms)"],
        ["ot", "v", "object type: video"],
        ["sid", "6e2fb550", "session id"],
    ]


def test_a_long_value_moves_no_other_meaning() -> None:
    lines = run(f'br=3200,cid="{"x" * 100}",ot=v')[1].splitlines()
    short = [line for line in lines if line.startswith(("  br ", "  ot "))]
    assert [len(line.split("  ")[-1]) + 13 >= len(line) for line in short] == [True, True]


def test_faults_and_events_are_told() -> None:
    code, output = run('bl=x,bsd=(500),e=ps,sta=p,v=2,com.x-plan="gold" ')
    assert (code, "custom key" in output) == (0, True)
    assert output.splitlines()[-3:] == [
        "not read:",
        "  bl: 'x' is no whole number from 0 on.",
        "becomes: BUFFER_END, PLAYING",
    ]


def test_a_way_of_writing_that_is_not_the_standard_s_is_told() -> None:
    assert "written otherwise" in run("br=3200,,sid=x")[1]
    assert "written otherwise" not in run('br=3200,sid="x"')[1]


def test_a_body_is_read_line_by_line() -> None:
    code, output = run(given='e=t,sta=p,v=2\ne=t,sid="x",v=3\n')
    assert (code, output.count("\n\n")) == (0, 1)
    assert "version 3 is not understood" in output


def test_headers_are_read_from_standard_input_or_a_file(tmp_path: Path) -> None:
    headers = 'Host: a\nCMCD-Request: bl=100\ncmcd-session: sid="a,b"\n'
    (tmp_path / "headers").write_text(headers)
    assert "a,b" in run("--headers", "-", given=headers)[1]
    assert run("--headers", str(tmp_path / "headers")) == run("--headers", "-", given=headers)


def test_what_is_no_cmcd_is_said() -> None:
    assert run("hello world") == (1, NOTHING + "\n")
    assert run("--headers", "-", given="Host: a\n") == (1, NOTHING + "\n")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    code, output = run("--headers", str(tmp_path / "nothing"))
    assert (code, "cannot be read" in output) == (2, True)


def test_a_terminal_gets_no_control_characters() -> None:
    assert "\x1b" not in run('cid="\x1b[2Ja",com.x-\x1b="\x1b",bl=\x1b')[1]


def test_a_batch_gives_an_object_a_line() -> None:
    lines = [
        {"query": f"CMCD={QUERY}"},
        {"headers": {"CMCD-Object": "br=3200"}},
        {"line": "e=t,v=2,x=1"},
        {"other": 1},
    ]
    given = "\n".join([*map(json.dumps, lines), "e=ps,sta=p,dl=x", "{", "hello", ""])
    code, output = run("--batch", given=given)
    told = [json.loads(line) for line in output.splitlines()]
    assert (code, [one.get("events") for one in told]) == (
        0, [["REQUEST"], ["REQUEST"], ["HEARTBEAT"], None, ["PLAYING"], None, None],
    )  # fmt: skip
    assert told[4] == {
        "version": 1, "values": {"e": "ps", "sta": "p"}, "custom": {},
        "faults": ["dl: 'x' is no whole number from 0 on."], "events": ["PLAYING"],
    }  # fmt: skip
