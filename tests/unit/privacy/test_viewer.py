import pytest

from playhead.errors import InvalidRequest
from playhead.privacy.viewer import Column, viewer_of

LONG = "viewer-7f3a"


@pytest.mark.parametrize(
    ("id_", "text", "names"),
    [
        ("42", "42", True),
        ("42", '{"viewerId":"42"}', True),
        ("42", "/v0/pipes/x.json?user=42&from=1", True),
        ("42", "/users/42/plays", True),
        ("42", '{"width":42}', False),
        ("42", "took 42 ms", False),
        ("42", '{"viewerId":"142"}', False),
        (LONG, f"WHERE user = '{LONG}'", True),
        (LONG, f"{LONG}-2", False),
        ("a b@c.de", "/x?user=a%20b%40c.de", True),
        ("a.b", '"axb"', False),
        ('a"b', r'{"viewerId":"a\"b"}', True),
        ("käse-und-brot", "user käse-und-brot said", True),
    ],
)
def test_a_text_names_somebody_as_a_value_and_not_by_chance(
    id_: str, text: str, *, names: bool
) -> None:
    viewer = viewer_of(id_, "", ())
    assert viewer.is_in(text.encode()) is names
    assert viewer_of(f"x{id_}x", "", ()).is_in(text.encode()) is False


@pytest.mark.parametrize(
    ("id_", "columns"),
    [("", ()), ("a" * 257, ()), ("a\nb", ()), ("a", ("plays",)), ("a", ("plays.a b",)),
     ("a", tuple(f"plays.c{n}" for n in range(101)))],
)  # fmt: skip
def test_what_names_nobody_is_refused(id_: str, columns: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest):
        viewer_of(id_, "", columns)
    assert viewer_of("a", "", ("plays.user", "plays.user")).columns == (Column("plays", "user"),)
