import pytest

from playhead.build.order import Circle, in_order


def test_what_is_read_comes_first() -> None:
    order = in_order({"daily": {"hourly"}, "hourly": {"plays"}, "plays": set()})
    assert order == ("plays", "hourly", "daily")
    assert in_order({"b": set(), "a": {"not here"}}) == ("a", "b")


def test_a_circle_names_its_path() -> None:
    with pytest.raises(Circle) as found:
        in_order({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert found.value.path == ("a", "b", "c", "a")
    assert str(found.value) == "a → b → c → a"


def test_a_long_chain_is_no_matter_of_the_stack() -> None:
    chain = {f"n{number:05}": {f"n{number + 1:05}"} for number in range(20_000)}
    order = in_order(chain)
    assert (order[0], order[-1]) == ("n19999", "n00000")


def test_something_may_read_itself_only_in_a_circle() -> None:
    with pytest.raises(Circle) as found:
        in_order({"a": {"a"}})
    assert found.value.path == ("a", "a")
