"""What passes the guard means the same as its text, whatever names and values it holds."""

import asyncio
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.errors import PlayheadError, QueryRefused
from playhead.query.guard.examine import Examined
from playhead.store.client import AsyncStoreClient, StoreClient
from support.guarded import DATABASE, Guarded, fill
from support.running_store import running_store

PASSES = yaml.safe_load((Path(__file__).parents[1] / "vectors/sql/passes.yaml").read_text())
PARAMS = {"p": "a\\b\t'", "k": [1, 2], "l": 3}
ONE_THREAD = {"max_threads": 1}


class Bench:
    """A guard and the loop its connections live in."""

    def __init__(self, guarded: Guarded) -> None:
        self.guarded = guarded
        self.loop = asyncio.new_event_loop()

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def answer(self, sql: str) -> bytes | str:
        form = "JSONCompactEachRowWithNamesAndTypes"
        try:
            answered = await self.guarded.store.answer(
                sql, PARAMS, format=form, settings=ONE_THREAD
            )
        except PlayheadError as error:
            return type(error).__name__
        return answered.body

    async def both(self, sql: str) -> tuple[bytes | str, bytes | str]:
        """Return what the text gives and what its tree gives."""
        return await self.answer(sql), await self.answer(await self.guarded.passed(sql))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Generator[Bench, None, None]:
    with running_store(tmp_path_factory.mktemp("passes")) as store:
        client = StoreClient(store.location, database=DATABASE)
        fill(client)
        client.close()
        made = Bench(
            Guarded(
                AsyncStoreClient(store.location, database=DATABASE), "views", "sessions", "titles"
            )
        )
        yield made
        made.run(made.guarded.close())
        made.loop.close()


@pytest.mark.parametrize("sql", PASSES)
def test_the_tree_gives_what_the_text_gives(sql: str, bench: Bench) -> None:
    by_text, by_tree = bench.run(bench.both(sql))
    assert isinstance(by_text, bytes)
    assert by_tree == by_text


@pytest.mark.parametrize("sql", PASSES)
def test_writing_a_tree_is_stable(sql: str, bench: Bench) -> None:
    once = bench.run(bench.guarded.passed(sql))
    assert bench.run(bench.guarded.passed(once)) == once


NASTY = st.text(st.sampled_from("ab`'\"\\ ().,;-*/%\n\t\0{}[]é😀$#@?:"), min_size=1, max_size=12)
WORDS = st.sampled_from([
    "NOT", "CASE", "INTERVAL", "DATE", "FROM", "SELECT", "NULL", "true", "inf", "nan", "ALL", "AS",
    "1", "IN", "CAST", "EXTRACT", "secret", "file", "BETWEEN", "EXISTS", "TIMESTAMP", "ANY", "END",
])  # fmt: skip


def quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def text_of(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


NAMES = (NASTY | WORDS).map(quoted)
LEAVES = st.one_of(
    NAMES,
    NASTY.map(text_of),
    st.integers(-(2**63), 2**64 - 1).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["n", "views.m", "NULL", "tags", "j.a.b", "[1, 2]", "(1, 'a')", "{p:String}"]),
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(
            inner,
            st.sampled_from(["+", "-", "*", "=", "<", "AND", "OR", "IN", "||", "IS", "LIKE"]),
            inner,
        ).map(lambda part: f"({part[0]} {part[1]} {part[2]})"),
        inner.map(lambda part: f"-{part}"),
        inner.map(lambda part: f"NOT {part}"),
        inner.map(lambda part: f"{part}[1]"),
        inner.map(lambda part: f"({part}).1"),
        inner.map(lambda part: f"{part}::String"),
        inner.map(lambda part: f"toString({part})"),
        st.tuples(NAMES, inner).map(lambda part: f"arrayMap({part[0]} -> {part[1]}, [1])"),
        pair.map(lambda part: f"({part[0]}, {part[1]})"),
        pair.map(lambda part: f"[{part[0]}, {part[1]}]"),
        pair.map(lambda part: f"if(1, {part[0]}, {part[1]})"),
        pair.map(lambda part: f"CASE WHEN {part[0]} THEN {part[1]} END"),
        inner.map(lambda part: f"(SELECT {part} FROM views LIMIT 1)"),
    )


EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=6)
QUERIES = st.builds(
    lambda shown, name, condition, order: (
        f"SELECT {shown} AS {name} FROM views WHERE {condition} ORDER BY {order}, m, n LIMIT 3"
    ),
    EXPRESSIONS, NAMES, EXPRESSIONS, EXPRESSIONS,
)  # fmt: skip


async def through(bench: Bench, sql: str) -> tuple[str, Examined, Examined] | None:
    guarded = bench.guarded
    try:
        first = await guarded.examined(sql)
        text = await guarded.trees.text(first.tree)
    except QueryRefused:
        return None
    return text, first, await guarded.examined(text)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=QUERIES)
def test_any_query_that_passes_reads_the_same_tables(sql: str, bench: Bench) -> None:
    """And running its tree gives what its text gives, bytes or error."""
    passed = bench.run(through(bench, sql))
    if passed is None:
        return
    text, first, second = passed
    assert sorted(r.name for r in first.references) == sorted(r.name for r in second.references)
    assert bench.run(bench.answer(text)) == bench.run(bench.answer(sql))


SOUND_LEAVES = st.one_of(
    st.sampled_from(["a", "b", "m"]).map(lambda name: f"{{{name}}}"),
    st.integers(-(2**31), 2**31).map(str),
    st.floats(-1e6, 1e6).map(repr),
)


def sound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Numbers made from numbers, so that the query has an answer."""
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "=", "<", ">=", "!="]), inner).map(
            lambda part: f"({part[0]} {part[1]} {part[2]})"
        ),
        inner.map(lambda part: f"(- {part})"),
        inner.map(lambda part: f"(NOT ({part}) = 0)"),
        inner.map(lambda part: f"CAST({part} AS Float64)"),
        pair.map(lambda part: f"(({part[0]}) != 0 AND ({part[1]}) > 0)"),
        pair.map(lambda part: f"(CASE WHEN ({part[0]}) > 1 THEN {part[1]} ELSE 0 END)"),
        pair.map(lambda part: f"({part[0]}, {part[1]}).2"),
        pair.map(lambda part: f"tuple({part[0]}, 'x', {part[1]}).1"),
        inner.map(lambda part: f"arraySum(arrayMap({{x}} -> {{x}} + ({part}), [1, 2]))"),
        inner.map(lambda part: f"(({part}) BETWEEN -5 AND 5)"),
        inner.map(lambda part: f"(({part}) IN (1, 2, 3))"),
        inner.map(lambda part: f"length(toString({part}))"),
    )


SOUND = st.recursive(SOUND_LEAVES, sound, max_leaves=8)
FOUR_NAMES = st.lists(NASTY.map(quoted), min_size=4, max_size=4, unique=True)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(shown=SOUND, condition=SOUND, names=FOUR_NAMES)
def test_a_sound_query_gives_the_same_rows(
    shown: str, condition: str, names: list[str], bench: Bench
) -> None:
    query = (
        "SELECT {m}, {shown} FROM (SELECT n AS {a}, cdn = 'cdn1' AS {b}, m AS {m} FROM views)"
        " WHERE ({condition}) != 0 OR {m} < 5 ORDER BY {m}"
    )
    marks = dict(zip("abmx", names, strict=True))
    sql = query.format(**marks, shown=shown.format(**marks), condition=condition.format(**marks))
    by_text, by_tree = bench.run(bench.both(sql))
    assert isinstance(by_text, bytes), sql
    assert by_tree == by_text


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=st.text(max_size=40), name=NASTY)
def test_any_text_comes_back_as_it_went_in(value: str, name: str, bench: Bench) -> None:
    sql = f"SELECT {text_of(value)} AS {quoted(name)}"
    rows = bench.run(bench.guarded.store.rows(bench.run(bench.guarded.passed(sql))))
    assert json.dumps(rows.rows) == json.dumps([[value]])
    assert rows.columns == [name]
