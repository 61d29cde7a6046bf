"""The strict parser against a kept implementation of the standard: same yes, same no, same value."""

import base64
from datetime import datetime
from decimal import Decimal
from typing import Any

import http_sf
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.model.cmcd.fields import (
    Token,
    members,
    parse_dictionary,
    parse_item,
    parse_list,
)

KEY_FIRST = "abcdefghijklmnopqrstuvwxyz*"
WORD_MORE = "abcXYZ019:/!#$%&'*+-.^_`|~"
PARSERS: dict[str, Any] = {"dictionary": parse_dictionary, "list": parse_list, "item": parse_item}

keys = st.builds(
    str.__add__, st.sampled_from(KEY_FIRST), st.text(KEY_FIRST + "0123456789_-.", max_size=5)
)
numbers = st.integers(-(10**15) + 1, 10**15 - 1).map(str)
decimals = st.decimals(-(10**12) + 1, 10**12 - 1, places=3, allow_nan=False).map(str)
strings = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
tokens = st.builds(str.__add__, st.sampled_from("abcXYZ*"), st.text(WORD_MORE, max_size=5))
byte_sequences = st.binary(max_size=9).map(lambda data: f":{base64.b64encode(data).decode()}:")
bares = st.one_of(numbers, decimals, strings, tokens, byte_sequences, st.sampled_from(["?0", "?1"]))
parameters = st.lists(
    st.builds(lambda gap, key, value: f";{gap}{key}{value}", st.sampled_from(["", " ", "  "]),
              keys, st.just("") | bares.map(lambda bare: "=" + bare)),
    max_size=3,
).map("".join)  # fmt: skip
items = st.builds(str.__add__, bares, parameters)
inner_lists = st.builds(
    lambda inside, gap, more: f"({gap}{' '.join(inside)}{gap}){more}",
    st.lists(items, max_size=3), st.sampled_from(["", " ", "  "]), parameters,
)  # fmt: skip
any_member = items | inner_lists
commas = st.sampled_from([",", ", ", " ,", "\t,\t "])


def joined(parts: list[str], comma: str) -> str:
    return comma.join(parts)


lists = st.builds(joined, st.lists(any_member, max_size=4), commas)
pairs = st.builds(str.__add__, keys, parameters | any_member.map(lambda member: "=" + member))
dictionaries = st.builds(joined, st.lists(pairs, max_size=4), commas)
structures = st.one_of(
    st.tuples(st.just("dictionary"), dictionaries),
    st.tuples(st.just("list"), lists),
    st.tuples(st.just("item"), items),
)
signs = st.text('ab1-.,;=()?:" \\*\t/@%\x7fé0', max_size=12)


def bare_of(value: Any) -> tuple[str, Any]:
    """A value with its type: True is no 1, a token no string."""
    if isinstance(value, (http_sf.Token, Token)):
        return "token", str(value)
    if isinstance(value, (datetime, http_sf.DisplayString)):
        raise LookupError("This type came with RFC 9651.")  # noqa: TRY004 (nobody passed it)
    return type(value).__name__, value


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, plain(member)) for key, member in value.items()]
    if isinstance(value, list):
        return [plain(member) for member in value]
    if isinstance(value, tuple):
        return plain(value[0]), [(key, bare_of(one)) for key, one in value[1].items()]
    return bare_of(value)


def by_library(kind: str, text: str) -> Any:
    try:
        return plain(http_sf.parse(text.encode(), tltype=kind))
    except (http_sf.StructuredFieldError, LookupError):
        return None


def by_us(kind: str, text: str) -> Any:
    try:
        return plain(PARSERS[kind](text))
    except ValueError:
        return None


@given(structure=structures)
def test_what_is_valid_is_read_as_the_library_reads_it(structure: tuple[str, str]) -> None:
    kind, text = structure
    found = by_us(kind, text)
    assert found is not None
    assert found == by_library(kind, text)


@given(structure=structures, at=st.integers(0, 200), cut=st.integers(0, 3), junk=signs)
def test_what_is_damaged_is_judged_as_the_library_does(
    structure: tuple[str, str], at: int, cut: int, junk: str
) -> None:
    kind, text = structure
    damaged = text[:at] + junk + text[at + cut :]
    assert by_us(kind, damaged) == by_library(kind, damaged)


@given(kind=st.sampled_from(list(PARSERS)), text=signs | st.text(max_size=20))
@example(kind="item", text="1.")
@example(kind="item", text="1234567890123.1")
@example(kind="item", text="123456789012345")
@example(kind="item", text="1234567890123456")
@example(kind="item", text="1.2345")
@example(kind="item", text="-")
@example(kind="item", text="-0.0")
@example(kind="item", text=":a:")
@example(kind="item", text=":YQ:")
@example(kind="item", text=":=:")
@example(kind="item", text="@1")
@example(kind="item", text='%"a"')
@example(kind="dictionary", text="a=1,a;b")
@example(kind="dictionary", text="a=1,")
@example(kind="list", text="(1 2)a")
@example(kind="list", text="(1\t2)")
def test_any_text_is_judged_as_the_library_does(kind: str, text: str) -> None:
    assert by_us(kind, text) == by_library(kind, text)


def test_types_are_the_standard_s() -> None:
    found = parse_list('1, 1.5, "a\\"b", a/b, :aGk=:, ?0, (x;q=2);p')
    assert found[:6] == [(one, {}) for one in (1, Decimal("1.5"), 'a"b', "a/b", b"hi", False)]
    assert found[6] == ([("x", {"q": 2})], {"p": True})


def test_a_token_is_told_from_a_string() -> None:
    assert isinstance(parse_item("a")[0], Token)
    assert not isinstance(parse_item('"a"')[0], Token)


def test_an_escaped_quote_ends_no_string() -> None:
    assert members('a="x\\",y",b=(1 "),",;c),d') == ['a="x\\",y"', 'b=(1 "),",;c)', "d"]


@given(parts=st.lists(pairs, min_size=1, max_size=5))
def test_a_text_is_cut_where_its_members_end(parts: list[str]) -> None:
    assert members(",".join(parts)) == parts


@given(text=signs | st.text(max_size=40))
def test_cutting_loses_nothing(text: str) -> None:
    assert ",".join(members(text)) == text
