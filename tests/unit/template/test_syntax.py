import pytest

from playhead.template.rendering import TemplateInvalid
from playhead.template.syntax import Assignment, Block, Jump, Output, Text, read_template


def text_of(template: str) -> str:
    """Return the text that is kept, one piece after the other."""
    return "".join(
        piece.text for piece in read_template(template, name="n") if isinstance(piece, Text)
    )


def test_text_and_tags_become_pieces() -> None:
    pieces = read_template("a {{ x }}\n{% set y = 1 %}{# no #}b", name="n")
    assert pieces == (Text("a "), Output("x", 1), Text("\n"), Assignment("y = 1", 2), Text("b"))


def test_block_holds_its_branches_with_their_lines() -> None:
    (block,) = read_template("{% if a %}1{% elif b %}\n2{% else %}3{% end %}", name="n")
    assert isinstance(block, Block)
    assert [(one.word, one.source, one.line) for one in block.branches] == [
        ("if", "a", 1), ("elif", "b", 1), ("else", "", 2),
    ]  # fmt: skip


def test_tag_without_blanks_is_a_tag() -> None:
    (block,) = read_template("{%if defined(x)%}{{x}}{%end%}", name="n")
    assert isinstance(block, Block)
    assert block.branches[0].body == (Output("x", 1),)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{!x}}", "{{x}}"),
        ("{%! if %}", "{% if %}"),
        ("{#!x#}", "{#x#}"),
        ("a { b {1} }} %} #}", "a { b {1} }} %} #}"),
        ("{", "{"),
        ("a{# {{x}} {% if %} \n #}b", "ab"),
        ("{% comment {{x}} %}c", "c"),
        ("  a \n\n\t b ", "  a \n\n\t b "),
        ("{% whitespace single %}a  b \n\n  c", "a b\nc"),
        ("{% whitespace oneline %}a  b \n\n  c", "a b c"),
        ("{% whitespace oneline %}<pre>a  b", "<pre>a  b"),
        ("{% whitespace oneline %}a  {% whitespace all %}b  c", "a b  c"),
    ],
)
def test_text_is_kept_as_it_is(template: str, text: str) -> None:
    assert text_of(template) == text
    assert text_of(f"{template}\n{{{{x}}}}").startswith(text)


def test_of_three_braces_the_innermost_two_count() -> None:
    pieces = read_template("{{{x}}}", name="n")
    assert pieces == (Text("{"), Output("x", 1), Text("}"))


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("\n{% if a %}\n", "Missing {% end %} block for if at line 2 at n:2"),
        ("{% for a in b %}{% if c %}{% end %}", "Missing {% end %} block for for at line 1 at n:1"),
        ("\n\n{{ x", "Missing end expression }} at n:3"),
        ("{% if", "Missing end block %} at n:1"),
        ("{# if", "Missing end comment #} at n:1"),
        ("{{ }}", "Empty expression at n:1"),
        ("{% %}", "Empty block tag ({% %}) at n:1"),
        ("{% end %}", "Extra {% end %} block at n:1"),
        ("{% if a %}{% endif %}", "unknown operator: 'endif' at n:1"),
        ("{% if(a) %}{% end %}", "unknown operator: 'if(a)' at n:1"),
        ("{% else %}", "else outside if, for, while, try block at n:1"),
        ("{% for a in b %}{% elif c %}{% end %}", "elif block cannot be attached to for block at n:1"),
        ("{% break %}", "break outside for, while block at n:1"),
        ("{% if a %}{% continue %}{% end %}", "continue outside for, while block at n:1"),
        ("{% set %}", "set missing statement at n:1"),
        ("{% whitespace some %}", "invalid whitespace mode some at n:1"),
    ],
)  # fmt: skip
def test_error_says_what_and_where(template: str, sentence: str) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        read_template(template, name="n")
    assert caught.value.message == sentence
    assert caught.value.line == int(sentence[-1])


@pytest.mark.parametrize(
    "word",
    ["import os", "from os import path", "extends 'a'", "include 'a'", "raw x", "module f()",
     "apply f", "block a", "autoescape none"],
)  # fmt: skip
def test_words_that_reach_elsewhere_are_forbidden(word: str) -> None:
    with pytest.raises(TemplateInvalid, match="forbidden") as caught:
        read_template(f"{{% {word} %}}{{% end %}}", name="n")
    assert caught.value.line == 1


def test_jump_inside_an_if_of_a_loop_is_fine() -> None:
    (loop,) = read_template("{% while a %}{% if b %}{% break %}{% end %}{% end %}", name="n")
    assert isinstance(loop, Block)
    (inner,) = loop.branches[0].body
    assert isinstance(inner, Block)
    assert inner.branches[0].body == (Jump("break"),)


def test_nesting_is_bounded() -> None:
    read_template("{% if a %}" * 40 + "{% end %}" * 40, name="n")
    with pytest.raises(TemplateInvalid, match="More than 40 blocks"):
        read_template("{% if a %}" * 41 + "{% end %}" * 41, name="n")


def test_size_is_bounded() -> None:
    with pytest.raises(TemplateInvalid, match="longer than"):
        read_template("x" * 1_048_577, name="n")
    assert text_of("x" * 1000) == "x" * 1000
