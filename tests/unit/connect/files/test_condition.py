import pytest

from playhead.connect.files.condition import condition
from playhead.connect.files.value import Wrong

BEFORE = {"a": "1", "b": ""}
ROW = {"a": "2", "b": ""}


@pytest.mark.parametrize(
    ("tests", "holds"),
    [
        ({}, True),
        ({"a": 2}, True),
        ({"a": "3"}, False),
        ({"a": ["1", 2]}, True),
        ({"a": {"not": "2"}}, False),
        ({"a": {"is": [1]}}, False),
        ({"a": {"above": 1, "below": 3}}, True),
        ({"a": {"above": 2}}, False),
        ({"b": {"above": 0}}, False),
        ({"a": {"changed": True}}, True),
        ({"b": {"changed": True}}, False),
        ({"b": {"empty": True}}, True),
        ({"a": {"empty": True}}, False),
        ({"a": 2, "b": "x"}, False),
    ],
)
def test_a_rule_holds(tests: dict[str, object], holds: bool) -> None:
    assert condition(tests, set())(ROW, BEFORE) is holds


def test_nothing_has_changed_at_the_first_row() -> None:
    assert not condition({"a": {"changed": True}}, set())(ROW, None)


@pytest.mark.parametrize(
    "test", [{}, {"like": "x"}, {"above": "2"}, {"changed": "yes"}, [], [{"a": 1}]]
)
def test_a_wrong_test_is_refused(test: object) -> None:
    with pytest.raises(Wrong):
        condition({"a": test}, set())
