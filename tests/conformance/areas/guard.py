"""The guard: what of SQL runs, what is refused, and with which sentence.

A case has `sql`, perhaps `purpose` (query), `at_ms` (the clock stopped), `prewhere: fold`,
`put` (name → table or query put there); then one of

- `refused`: part of the sentence it is refused with;
- `text`: the statement that would run, or
- `rows`: what comes back of it, as JSON (and `columns`, `format`, `reads` with either).
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playhead.errors import QueryRefused
from playhead.query.guard.clock import frozen
from playhead.query.guard.prewhere import without_prewhere
from playhead.store.client import AsyncStoreClient, StoreClient
from support.guarded import DATABASE, Guarded, fill
from support.running_store import RunningStore, running_store


class _Running:
    """The store of this area, started with the first case."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.store: RunningStore | None = None

    def started(self) -> RunningStore:
        if self.store is None:
            folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
            self.store = self.stack.enter_context(running_store(folder / "data"))
            client = StoreClient(self.store.location, database=DATABASE)
            fill(client)
            client.close()
        return self.store


_RUNNING = _Running()


def close() -> None:
    """End the store."""
    _RUNNING.stack.close()
    _RUNNING.store = None


async def run(case: dict[str, Any]) -> None:
    """Run one case."""
    client = AsyncStoreClient(_RUNNING.started().location, database=DATABASE)
    guarded = Guarded(client, "views", "sessions", "titles", "node1")
    try:
        await _run(guarded, case)
    finally:
        await guarded.close()


async def _run(guarded: Guarded, case: dict[str, Any]) -> None:
    text, refusal = "", ""
    try:
        text = await _text(guarded, case)
    except QueryRefused as error:
        refusal = error.message
    if refusal or "refused" in case:
        assert case.get("refused", "no refusal") in refusal, refusal or f"it passed: {text}"
        return
    if "text" in case:
        assert text == case["text"].strip(), text
    if "rows" in case:
        found = await guarded.store.rows(text, case.get("params"))
        assert found.rows == case["rows"], found.rows
        assert found.columns == case.get("columns", found.columns), found.columns
        assert found.types == case.get("types", found.types), found.types


async def _text(guarded: Guarded, case: dict[str, Any]) -> str:
    examined = await guarded.examined(case["sql"], purpose=case.get("purpose", "query"))
    assert examined.format == case.get("format"), examined.format
    if "reads" in case:
        assert sorted(one.name for one in examined.references) == case["reads"]
    for reference in examined.references:
        put = case.get("put", {}).get(reference.name)
        if put and " " in put:
            inner = await guarded.examined(put, purpose="node")
            reference.replace_by_query(inner.tree)
        elif put:
            reference.replace_by_table(*put.split("."))
    tree = examined.tree
    if case.get("prewhere") == "fold":
        tree = without_prewhere(tree)
    if "at_ms" in case:
        tree = frozen(tree, case["at_ms"])
    return await guarded.trees.text(tree)
