import pytest

from playhead.project.case import TABLE, Request
from playhead.project.classic import read_commands


def requests(text: str) -> tuple[Request, ...]:
    case = read_commands(text, "", path="tests/top.test")
    assert case.problem == ""
    return case.requests


def test_a_pipe_with_parameters() -> None:
    (one,) = requests("tb pipe data top --a '1 2' --b=\"x=y\" --a 3 --format CSV")
    assert one.parameters == {"a": ["1 2", "3"], "b": "x=y"}
    assert (one.pipe, one.format, one.sql) == ("top", "csv", "")


def test_several_commands_comments_and_lines_that_go_on() -> None:
    text = "# first\n\ntb sql 'SELECT 1 -- one\n, 2' --format csv\ntb pipe data \\\n top # last\n"
    first, second = requests(text)
    assert first.sql == "SELECT 1 -- one\n, 2"
    assert (second.pipe, second.format) == ("top", "json")


def test_sql_without_format_is_a_table() -> None:
    (one,) = requests("tb --token x sql \"SELECT 'a;b|c' FROM t;\" --pipeline top --rows_limit 5")
    assert one == Request(sql="SELECT 'a;b|c' FROM t", pipeline="top", format=TABLE)
    assert requests("tb pipe data top --query 'SELECT 1'")[0].sql == "SELECT 1"


@pytest.mark.parametrize(
    "command",
    [
        "curl http://x", "tb", "tb push", "tb pipe ls", "tb pipe data", "tb pipe data a b",
        "tb pipe data a --x", "tb sql", "tb sql a b", "tb sql a --nope b", "tb sql 'open",
        "tb pipe data a > f", "tb sql a && rm b", "tb sql a ; tb sql b", "tb sql `x`| wc",
        "cat f | tb sql a", "(tb sql a)", "", "# only",
    ],
)  # fmt: skip
def test_any_other_command_fails_with_a_sentence(command: str) -> None:
    case = read_commands(command, "", path="tests/x.test")
    assert len(case.problem.split()) > 3
    assert case.requests == ()


def test_without_a_result_the_case_fails() -> None:
    case = read_commands("tb sql a", None, path="tests/x.test")
    assert case.problem.startswith("tests/x.test.result is not there")
    assert case.name == "x"


def test_commands_have_a_limit() -> None:
    assert "more than" in read_commands("tb sql a\n" * 300, "", path="x.test").problem
    assert len(requests("tb sql a\n" * 200)) == 200
