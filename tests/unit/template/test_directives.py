from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.directives import (
    TTLS_S,
    activate,
    backend_hint,
    cache_ttl,
    disable,
    max_threads,
)
from playhead.template.rendering import Directives, Inputs, TemplateInvalid, TemplateRefused
from playhead.template.secrets import tb_secret


def test_directives_are_comments_and_options() -> None:
    context = Context(Inputs())
    made = [max_threads(context, 4), cache_ttl(context, "1h"), activate(context, "analyzer"),
            activate(context, "analyzer"), disable(context, "analyzer"), backend_hint(context, "x")]  # fmt: skip
    assert all(
        one.startswith("-- ") and one.count("\n") == 1 and one.endswith("\n") for one in made
    )
    assert context.asked.frozen() == Directives(
        max_threads=4, cache_ttl_s=3_600, activate=("analyzer",), disable=("analyzer",),
        backend_hint="x",
    )  # fmt: skip


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\0", "\x1b"]
)
def test_a_directive_stays_on_its_line(end: str) -> None:
    context = Context(Inputs())
    assert backend_hint(context, f"a{end}b") == "-- backend_hint a b\n"
    assert context.asked.backend_hint == "a b"


def test_a_time_to_live_is_one_of_five() -> None:
    for text, seconds in TTLS_S.items():
        context = Context(Inputs())
        cache_ttl(context, text)
        assert context.asked.cache_ttl_s == seconds
    with pytest.raises(TemplateInvalid, match="does not know '2h'"):
        cache_ttl(Context(Inputs()), "2h")


@pytest.mark.parametrize("wrong", [0, -1, 10**6, "x", "", 1.5, "9" * 100, "४"])
def test_threads_are_a_number(wrong: Any) -> None:
    context = Context(Inputs())
    with pytest.raises(TemplateRefused, match="takes a number from 1"):
        max_threads(context, wrong)
    assert context.asked.frozen() == Directives()


def test_a_secret_is_bound_and_never_written() -> None:
    context = Context(Inputs(secrets={"key": "s'1"}))
    assert tb_secret(context, "key") == "{key: String}"
    assert context.bound == {"key": "s'1"}


@pytest.mark.parametrize("name", ["", "a b", "a: String}", "1a", "é", None, "a" * 200, "a\n"])
def test_the_name_of_a_secret_cannot_leave_its_braces(name: Any) -> None:
    context = Context(Inputs())
    with pytest.raises(TemplateInvalid, match="is no name of a secret"):
        tb_secret(context, name, "x")
    assert context.bound == {}
