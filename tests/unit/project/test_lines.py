import pytest

from playhead.project.lines import (
    Instruction,
    dedented,
    items,
    lines_of,
    unquoted,
    value_of,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "words", "comment"),
    [
        ("a  b", ["a", "b"], ""),
        ("'a  b' c", ["'a  b'", "c"], ""),
        ("a # b", ["a"], "# b"),
        ("a#b", ["a#b"], ""),
        ("it's # b", ["it's"], "# b"),
        ("toDate('a b')", ["toDate('a b')"], ""),
        ("{{ tb_secret('x') }} b", ["{{ tb_secret('x') }}", "b"], ""),
        ("{{ open", ["{{", "open"], ""),
    ],
)
def test_words(text: str, words: list[str], comment: str) -> None:
    found, rest = words_of(text)
    assert [word.text for word in found] == words
    assert rest == comment


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ('"a"', "a"),
        ("''", ""),
        ('"a', '"a'),
        ('"a" "b"', '"a" "b"'),
        ("'a\"", "'a\""),
        ('"{{ f("x") }}"', '{{ f("x") }}'),
        ('"{{ x }}" "', '"{{ x }}" "'),
    ],
)
def test_only_quotes_around_the_whole_are_taken_off(text: str, bare: str) -> None:
    assert unquoted(text) == bare
    assert value_of(words_of(text)[0]) == bare


def test_columns_count_from_one() -> None:
    [item] = items(lines_of("  KEY  word", "x"), {"KEY"})
    assert isinstance(item, Instruction)
    assert (item.column, item.words[0].column) == (3, 8)


def test_a_block_keeps_comments_and_its_content_does_not() -> None:
    [item, following] = items(lines_of("A >\n # c\n\n one\nB x", "x"), {"A", "B"})
    assert isinstance(item, Instruction)
    assert isinstance(following, Instruction)
    assert [line.number for line in item.block or ()] == [2, 3, 4]
    assert [line.text for line in item.content] == [" one"]


def test_what_all_lines_begin_with_is_taken_off() -> None:
    assert dedented(["\t a", "", "\t  b"]) == ["a", "", " b"]
    assert dedented(["  a", "\tb"]) == ["  a", "\tb"]
