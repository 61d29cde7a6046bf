import pytest

from playhead.project.case import CASES_MAX
from playhead.project.cases import parameters_of, read_cases


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}), ("?a=1", {"a": "1"}), ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}), ("a=", {"a": ""}),
        ("from=2024-01-01 10:00:00", {"from": "2024-01-01 10:00:00"}), ("a=b+c%2B", {"a": "b c+"}),
    ],
)  # fmt: skip
def test_parameters_are_read_as_a_query(text: str, found: dict[str, str]) -> None:
    assert parameters_of(text) == found
    assert parameters_of(f" {text}\n") == found


def test_scalars_stay_text() -> None:
    (case,) = read_cases("- {name: 1.10, expected_result: 2024-01-01}", path="tests/p.yaml")
    assert (case.name, case.expected) == ("1.10", "2024-01-01")
    assert case.requests[0].pipe == "p"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- name: [", "no YAML"), ("a: 1", "no list"), ("- 5", "no mapping"), ("a", "no list"),
        ("- {name: a, expected_http_status: x}", "no HTTP status"),
        ("- {name: a, expected_http_status: '7'}", "no HTTP status"),
        ("- {name: a, expected_result: [1]}", "is a text"),
        ("- {name: a}\n" * (CASES_MAX + 1), "more than"),
        ("[" * 5_000, "no YAML"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_case_that_fails(text: str, problem: str) -> None:
    (case,) = read_cases(text, path="tests/p.yaml")
    assert problem in case.problem
    assert case.requests == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]"])
def test_a_file_without_cases(text: str) -> None:
    assert read_cases(text, path="tests/p.yaml") == ()
    assert read_cases("- {pipe: x}", path="a/regression.yml") == ()


def test_parameters_may_be_a_mapping() -> None:
    (case,) = read_cases("- {name: a, parameters: {a: 1, b: [x, y]}}", path="p.yml")
    assert case.requests[0].parameters == {"a": "1", "b": ["x", "y"]}
    assert case.problem == ""


def test_data_quality_with_a_fault_is_a_case_that_fails() -> None:
    found = read_cases("- a: {sql: ''}\n- b: {sql: x, pipe: [1]}", path="q.yaml")
    assert [one.kind for one in found] == ["quality", "quality"]
    assert all(one.problem for one in found)
