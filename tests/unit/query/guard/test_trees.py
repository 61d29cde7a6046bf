from typing import Any

import pytest

from playhead.errors import QueryFailed, QueryRefused
from playhead.query.guard.trees import Trees, syntax_sentence
from playhead.store.client import AsyncStoreClient
from playhead.store.location import Location
from playhead.store.result import Rows


class Engine(AsyncStoreClient):
    """A store that answers every question about a text with the text itself as a tree."""

    def __init__(self) -> None:
        super().__init__(Location(socket="/nowhere"))
        self.asked: list[Any] = []

    async def rows(self, sql: str, params: Any = None, **_: Any) -> Rows:  # noqa: ARG002
        self.asked.append(params)
        if "t" in params:
            return Rows(["a", "b"], ["String"] * 2, [["SELECT 1", '{"type":"Other"}']])
        if isinstance(params["q"], list):
            if "bad" in params["q"]:
                raise QueryFailed("Code: 62. Syntax error: failed at position 1", engine_code=62)
            return Rows(["a"], ["Array(String)"], [[[f'{{"name":"{q}"}}' for q in params["q"]]]])
        if params["q"] == "bad":
            raise QueryFailed("Code: 62. Syntax error: failed at position 2 (ad)", engine_code=62)
        return Rows(["a"], ["String"], [[f'{{"name":"{params["q"]}"}}']])


async def test_a_text_is_asked_about_once_and_its_tree_is_fresh_every_time() -> None:
    engine = Engine()
    trees = Trees(engine, entries_max=2)
    first = await trees.parse("a")
    first["name"] = "changed"
    assert await trees.parse("a") == {"name": "a"}
    assert len(engine.asked) == 1


async def test_the_oldest_text_is_forgotten() -> None:
    engine = Engine()
    trees = Trees(engine, entries_max=2)
    for sql in ("a", "b", "a", "c", "a", "b"):
        await trees.parse(sql)
    assert [asked["q"] for asked in engine.asked] == ["a", "b", "c", "b"]
    assert len(trees._kept) == 2


async def test_many_texts_are_one_question() -> None:
    engine = Engine()
    trees = Trees(engine, entries_max=9)
    await trees.parse("b")
    found = await trees.parse_many(["a", "b", "c", "a"])
    assert [tree["name"] for tree in found] == ["a", "b", "c", "a"]
    assert [asked["q"] for asked in engine.asked] == ["b", ["a", "c"]]


async def test_many_texts_with_a_wrong_one_say_which() -> None:
    trees = Trees(Engine(), entries_max=9)
    with pytest.raises(QueryRefused, match="line 1, column 2, near 'ad'"):
        await trees.parse_many(["a", "bad"])
    assert await trees.parse_many(["a"]) == [{"name": "a"}]


async def test_a_long_text_is_never_asked_about() -> None:
    engine = Engine()
    with pytest.raises(QueryRefused, match="11 bytes long; at most 10"):
        await Trees(engine, entries_max=9, bytes_max=10).parse("é" * 5 + "a")
    assert engine.asked == []


async def test_a_text_that_reads_as_another_tree_is_refused() -> None:
    with pytest.raises(QueryRefused, match="cannot be written back exactly"):
        await Trees(Engine(), entries_max=9).text({"type": "SelectWithUnionQuery"})
    with pytest.raises(QueryRefused, match="8 bytes long"):
        await Trees(Engine(), entries_max=9, bytes_max=7).text({"type": "Other"})


@pytest.mark.parametrize(
    ("message", "code", "sentence"),
    [
        ("Syntax error (Multi-statements are not allowed)", 62, "Only one statement"),
        ("Empty query: In scope SELECT x", 62, "The query is empty."),
        ("AST is too deep. Maximum: 1000", 167, "The query is too deeply nested."),
        ("AST is too big", 168, "The query is too large."),
        ("something else", 62, "The query cannot be read as SQL."),
        (
            "Syntax error: failed at position 8 (b): b. Expected one of: token, FROM: In scope x",
            62,
            "Syntax error in line 2, column 4, near 'b': expected FROM.",
        ),
        (
            "Syntax error: failed at position 99",
            62,
            "Syntax error in line 2, column 5, at the end.",
        ),
    ],
)
def test_the_engine_is_put_into_a_sentence(message: str, code: int, sentence: str) -> None:
    said = syntax_sentence(message, code, "aé\n 1 b")
    assert said.startswith(sentence)
    assert "scope" not in said


@pytest.mark.parametrize("sql", ["insert into plays values (1)", "\nDESCRIBE TABLE plays"])
def test_a_statement_without_a_tree_is_named(sql: str) -> None:
    said = syntax_sentence("something else", 62, sql)
    assert (
        said == f"Only SELECT can be run here; this begins with {sql.split(maxsplit=1)[0].upper()}."
    )
    assert "cannot be read" in syntax_sentence("something else", 62, f"SELECT 1; {sql}")
