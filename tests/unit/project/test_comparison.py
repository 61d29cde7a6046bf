import pytest

from playhead.project.case import Case, Kind
from playhead.project.comparison import DIFF_LINES_MAX, difference, printed


def case(kind: Kind = "forward", expected: str = "", status: int | None = None) -> Case:
    return Case(path="p", name="n", kind=kind, expected=expected, status=status)


@pytest.mark.parametrize(
    ("expected", "answer", "same"),
    [
        ("a\n", "a\n", True), ("a", "a\n", True), ("a\n\n", "a", True), ("", "", True),
        ("a", "b", False), ("a\n\nb", "a\nb", False), (" a", "a", False), ("a", "", False),
    ],
)  # fmt: skip
def test_forward_compares_text_exactly(expected: str, answer: str, same: bool) -> None:
    assert (difference(case(expected=expected), 200, answer) == "") is same
    assert difference(case(expected=expected), 500, answer) != ""


@pytest.mark.parametrize(
    ("expected", "answer", "same"),
    [
        ("a\n\n\nb\n", "a\nb", True),
        ("\na", "a", True),
        ("a b", "a  b", False),
        ("a\n \nb", "a\nb", False),
        ("a", "a\nb", False),
    ],
)
def test_classic_does_not_count_blank_lines(expected: str, answer: str, same: bool) -> None:
    assert (difference(case("classic", expected), 200, answer) == "") is same
    assert difference(case("classic", expected), 400, '{"error":"x"}').endswith(": x")


def test_an_error_is_compared_by_its_sentence() -> None:
    wanted = case(expected="no such page\n", status=400)
    assert difference(wanted, 400, '{"error":"no such page","documentation":"d"}') == ""
    assert "-no such page\n+other" in difference(wanted, 400, '{"error":"other"}')


def test_a_status_alone_is_enough() -> None:
    assert difference(case(status=403), 403, '{"error":"x"}') == ""
    assert difference(case(status=403), 404, '{"error":"x"}').startswith("expected HTTP status 403")


def test_a_long_difference_is_cut() -> None:
    some = "\n".join(f"a{n}" for n in range(500))
    other = "\n".join(f"b{n}" for n in range(500))
    lines = difference(case(expected=some), 200, other).splitlines()
    assert len(lines) == DIFF_LINES_MAX + 1
    assert "more lines" in lines[-1]


def test_of_very_long_texts_the_first_difference_is_named() -> None:
    some = "\n".join(str(n) for n in range(5_000))
    said = difference(case(expected=some), 200, some.replace("\n4000\n", "\nx\n"))
    assert "line 4001 differs first" in said
    assert said.endswith("-4000\n+x")


def test_a_table_is_as_wide_as_its_widest_cells() -> None:
    assert printed(["a", "name"], [[1, "x"], [-20.5, None]]) == (
        "----------------\n| a     | name |\n----------------\n"
        "|     1 | x    |\n| -20.5 |      |\n----------------\n"
    )
    assert printed(["v"], [[[1, "é"]], [True]]).splitlines()[3:5] == ['| [1,"é"] |', "| true    |"]
