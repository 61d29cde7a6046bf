import pytest

from playhead.template.place import Place
from playhead.template.rendering import TemplateRefused

VALUE = "'a b'"


def put(before: str, value: str = VALUE) -> str:
    place = Place()
    place.feed(before)
    return place.put(value)


@pytest.mark.parametrize(
    "before",
    ["", "x = ", "'a' ", "/* ' */ ", "-- '\n", "// '\n", "`it's` ", "'it''s' ", "'a\\'' ", '"\'" ',
     "/* /* */ ' */", "a$$ ", "$$ ' $$ ", "# '\n", "/* ' **/"],
)  # fmt: skip
def test_outside_of_quotes_a_value_is_put_as_it_is(before: str) -> None:
    place = Place()
    for piece in before:
        place.feed(piece)
    assert (put(before), place.put(VALUE)) == (VALUE, VALUE)


@pytest.mark.parametrize("before", ["'", "'%", "'\\'", "'\\", "it's ", "$$", "$x$ '", "'a''"])
def test_inside_of_the_author_s_quotes_it_is_refused(before: str) -> None:
    with pytest.raises(TemplateRefused, match="inside the template's own quotes"):
        put(before)
    assert put("'a'" if before == "'" else "1") == VALUE


def test_a_plain_value_inside_of_quotes_is_let_through() -> None:
    assert put("'%", "'abc_1'") == "'abc_1'"
    assert put("'", "toInt32('7')") == "toInt32('7')"
    assert put("'", "'2019-01-01 00:00:00.000'").startswith("'2019")
    for wrong in ("'a--b'", "'a b'", "'-- '", "'a/b'", "'a(1)'"):
        with pytest.raises(TemplateRefused):
            put("'", wrong)


@pytest.mark.parametrize(
    ("before", "value"), [("/*", "'*/ x'"), ("/* /* */", "'/*'"), ("\u2018", "'\u2019 x'")]
)
def test_what_would_end_a_comment_or_odd_quotes_is_refused(before: str, value: str) -> None:
    with pytest.raises(TemplateRefused):
        put(before, value)
    assert put(before) == VALUE


def test_a_comment_of_one_line_takes_any_value() -> None:
    assert put("-- ", "'*/ x'") == "'*/ x'"
    assert put("SELECT 1 -- it's\n") == VALUE


def test_a_blank_keeps_a_value_apart_from_what_would_change_it() -> None:
    assert (put("5 -", "-3"), put("x", "'41'"), put("5 ", "-3")) == (" -3", " '41'", "-3")
    assert (put("max"), put("LIKE")) == (VALUE, VALUE)


def test_text_in_pieces_is_read_as_one() -> None:
    place = Place()
    for piece in ("/", "* '", " *", "/ -", "- '", "\n"):
        place.feed(piece)
    assert place.put(VALUE) == VALUE
    place.feed("'a\\")
    place.feed("'")
    with pytest.raises(TemplateRefused):
        place.put(VALUE)
