"""Parameters and names for any input: a value comes back, a chain of nodes counts what it must."""

import asyncio
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.errors import PlayheadError
from playhead.project.folder import read_texts
from playhead.query.guard.functions import function_list
from playhead.query.guard.trees import Trees
from playhead.query.pipes.resolve import Resolver
from playhead.query.pipes.texts import Bounds
from playhead.query.pipes.workspace import OUTSIDE, Namespace, Workspace
from playhead.store.client import AsyncStoreClient
from playhead.template.rendering import Inputs
from support.running_store import RunningStore, running_store

CALM = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ECHO = (
    "NODE n\nSQL >\n    % SELECT {{String(x)}} AS x, {{Array(xs, 'String')}} AS xs\nTYPE endpoint\n"
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%\x1a"), max_size=30)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningStore, None, None]:
    with ExitStack() as stack:
        yield stack.enter_context(running_store(tmp_path_factory.mktemp("store")))


def answer(store: RunningStore, files: dict[str, str], pipe: str, params: dict[str, Any]) -> Any:
    """Return the rows of an endpoint."""

    async def ask() -> Any:
        client = AsyncStoreClient(store.location)
        try:
            workspace = Workspace(project=read_texts(files))
            functions = await function_list(client)
            trees = Trees(client, entries_max=100)
            resolver = Resolver(workspace, trees, functions, Bounds())
            prepared = await resolver.endpoint(pipe, Inputs(params=params))
            return (await client.rows(prepared.sql, prepared.bound)).rows
        finally:
            await client.close()

    return asyncio.run(ask())


@CALM
@given(TEXTS, st.lists(TEXTS.filter(lambda text: "," not in text), min_size=2, max_size=4))
def test_a_value_comes_back_as_it_went(store: RunningStore, text: str, texts: list[str]) -> None:
    assert answer(store, {"echo.pipe": ECHO}, "echo", {"x": text, "xs": texts}) == [[text, texts]]


@st.composite
def chains(draw: st.DrawFn) -> tuple[str, int]:
    """A pipe of nodes that read any earlier ones, and how many rows its last has."""
    counts: list[int] = []
    parts = []
    for index in range(draw(st.integers(1, 6))):
        read = draw(st.lists(st.integers(0, index - 1), max_size=3)) if index else []
        selects = [f"SELECT n FROM node_{one}" for one in read] or [
            "SELECT number AS n FROM numbers(2)"
        ]
        counts.append(sum(counts[one] for one in read) if read else 2)
        kind = draw(st.sampled_from(["", "% "]))
        parts.append(f"NODE node_{index}\nSQL >\n    {kind}{' UNION ALL '.join(selects)}\n")
    last = len(counts) - 1
    parts.append(f"NODE out\nSQL >\n    SELECT count() FROM node_{last}\nTYPE endpoint\n")
    return "".join(parts), counts[last]


@CALM
@given(chains())
def test_nodes_read_each_other_as_often_as_they_say(
    store: RunningStore, chain: tuple[str, int]
) -> None:
    text, count = chain
    assert answer(store, {"chain.pipe": text}, "chain", {}) == [[count]]


@given(st.text(max_size=200))
def test_any_text_mentions_only_what_there_is(text: str) -> None:
    names = Namespace(Workspace(project=read_texts({"echo.pipe": ECHO})))
    assert {place.pipe for place in names.mentioned(text, at=OUTSIDE)} <= {"echo"}
    assert names.sentence("", text)


@CALM
@given(st.text(max_size=60))
def test_any_query_is_made_or_refused_with_a_sentence(store: RunningStore, text: str) -> None:
    async def ask() -> str:
        client = AsyncStoreClient(store.location)
        try:
            functions = await function_list(client)
            resolver = Resolver(
                Workspace(project=read_texts({})), Trees(client, entries_max=9), functions, Bounds()
            )
            return (await resolver.sql(text, Inputs())).sql
        except PlayheadError as error:
            return error.message
        finally:
            await client.close()

    assert asyncio.run(ask())
