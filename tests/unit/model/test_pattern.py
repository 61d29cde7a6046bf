import pytest

from playhead.model.pattern import any_of


@pytest.mark.parametrize(
    ("listed", "text", "fits"),
    [
        ("localhost", "localhost", True),
        ("localhost", "localhost.example", False),
        ("*.example", "a.b.example", True),
        ("*.example", "example", False),
        ("qa-*-?[x]", "qa-7-?[x]", True),
        ("qa-*-?[x]", "qa-7-1x", False),
        ("*", "", True),
        ("a.c", "abc", False),
        ("a?", "ab", False),
    ],
)
def test_a_star_is_any_text_and_all_else_itself(listed: str, text: str, *, fits: bool) -> None:
    pattern = any_of(["other", listed])
    assert pattern is not None
    assert bool(pattern.match(text)) is fits


def test_no_list_fits_nothing() -> None:
    assert any_of(()) is None


def test_many_stars_against_a_hostile_text_end_soon() -> None:
    pattern = any_of(["*a" * 30 + "b"])
    assert pattern is not None
    assert pattern.match("a" * 100_000) is None
