from typing import Any

import pytest

from playhead.access.scopes import (
    FILTERS_CHARS_MAX,
    SCOPES_MAX,
    TYPES,
    Scope,
    checked_all,
    fixed_of,
    scope_of,
)
from playhead.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("ADMIN", Scope("ADMIN")),
        ("PIPES:READ:top_titles", Scope("PIPES:READ", "top_titles")),
        ("DATASOURCES:READ:plays:a = 'b:c'", Scope("DATASOURCES:READ", "plays", "a = 'b:c'")),
        ("DATASOURCES:READ:playhead.views", Scope("DATASOURCES:READ", "playhead.views")),
        ("PIPES:DROP", Scope("PIPES:DROP")),
        ("PIPES:DROP:top", Scope("PIPES:DROP", "top")),
    ],
)
def test_a_line_is_a_scope(text: str, scope: Scope) -> None:
    assert scope_of(f" {text} ") == scope
    assert scope.text == text


@pytest.mark.parametrize(
    "text",
    ["", "admin", "READ", "PIPES", "PIPES:READ", "PIPES:READ:", "PIPES:READ:*", "PIPES:READ:a-b",
     "PIPES:READ:a.b.c", "TOKENS:x", "DATASOURCES:APPEND:a:b = 1", "DATASOURCES:READ:a:b = ;",
     "DATASOURCES:APPEND", "WORKSPACE:READ_ALL:a", "PIPES:READ:" + "a" * 201, "DATASOURCES:READ:1a"],
)  # fmt: skip
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        scope_of(text)
    assert len(refused.value.message) < 200


def test_a_token_has_each_scope_once_and_not_too_many() -> None:
    assert checked_all([Scope("TOKENS"), Scope("TOKENS")]) == (Scope("TOKENS"),)
    many = [Scope("PIPES:READ", f"p{number}") for number in range(SCOPES_MAX + 1)]
    with pytest.raises(InvalidRequest):
        checked_all(many)
    with pytest.raises(InvalidRequest):
        checked_all([])


def test_filters_are_short_together() -> None:
    long = "a = '" + "x" * 4_000 + "'"
    scopes = [Scope("DATASOURCES:READ", f"d{number}", long) for number in range(5)]
    assert len(long) * 5 > FILTERS_CHARS_MAX
    with pytest.raises(InvalidRequest):
        checked_all(scopes)
    assert len(checked_all(scopes[:4])) == 4


def test_a_fixed_parameter_is_what_a_request_would_send() -> None:
    given = {"a": 1, "b": "x", "c": True, "d": [1, "y"], "e": 1.5}
    assert fixed_of(given) == {"a": "1", "b": "x", "c": "true", "d": "1,y", "e": "1.5"}
    nothing: tuple[Any, ...] = (None, {}, [[1]], [{}], [None])
    for value in nothing:
        with pytest.raises(InvalidRequest):
            fixed_of({"a": value})


def test_two_scopes_cannot_fix_a_parameter_differently() -> None:
    one, other = (Scope("PIPES:READ", "p", "", {"org": org}) for org in ("1", "2"))
    with pytest.raises(InvalidRequest):
        checked_all([one, other])
    with pytest.raises(InvalidRequest):
        checked_all([Scope("DATASOURCES:READ", "d", "", {"org": "1"})])


def test_every_type_can_be_written() -> None:
    for type_, needs in TYPES.items():
        text = type_ if needs in {"never", "maybe"} else f"{type_}:some"
        assert scope_of(text).text == text
    assert len(TYPES) == 11
