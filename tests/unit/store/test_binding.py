from datetime import UTC, datetime

import pytest

from playhead.store.binding import bound, filters_literal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\\b\tc\nd\0e'f", "a\\\\b\\tc\\nd\\0e'f"),
        (None, "\\N"),
        (True, "1"),
        (-7, "-7"),
        (0.1, "0.1"),
        (datetime(2026, 1, 2, tzinfo=UTC), "1767312000000"),
        (["a'b", 1, None], "['a\\'b',1,NULL]"),
    ],
)
def test_values_become_tab_separated_text(value: object, text: str) -> None:
    assert bound(value) == text


def test_an_unknown_type_is_the_callers_mistake() -> None:
    with pytest.raises(TypeError, match="bytes"):
        bound(b"bytes")


def test_filters_become_a_map_of_quoted_text() -> None:
    assert filters_literal({"a.b": "c = 'd'"}) == "{'a.b':'c = \\'d\\''}"
