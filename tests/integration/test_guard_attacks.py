"""Hostile statements against the guard and, where they pass, against a real store."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from playhead.errors import PlayheadError, QueryRefused
from playhead.store.client import AsyncStoreClient, Limits, StoreClient
from support.guarded import CANARY, DATABASE, HIDDEN, HIDDEN_NUMBER, Bait, Guarded, bait, fill
from support.lumos import data_folder
from support.running_store import RunningStore, running_store

ATTACKS: dict[str, list[Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "vectors/sql/attacks.yaml").read_text()
)
LIMITS = Limits(
    timeout_ms=1_000,
    max_result_rows=1_000,
    max_result_bytes=1_000_000,
    max_rows_to_read=100_000_000_000,
    max_memory_bytes=200_000_000,
)
GRACE_S = 9.0
"""Past the time limit: a step under way is finished first, and other tests share the machine."""
STARTER = data_folder() / "sql-attacks.sql"
ALL_SECRETS = (
    "SELECT * FROM (SELECT count(), sum(cityHash64(*)) FROM secret UNION ALL"
    " SELECT count(), sum(cityHash64(*)) FROM other.secret) ORDER BY ALL"
)
SHOWN = (CANARY, HIDDEN, str(HIDDEN_NUMBER))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningStore, None, None]:
    with running_store(tmp_path_factory.mktemp("attacked")) as running:
        client = StoreClient(running.location, database=DATABASE)
        fill(client)
        client.close()
        yield running


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Generator[Bait, None, None]:
    with bait(tmp_path_factory.mktemp("bait")) as made:
        yield made


async def outcome(guarded: Guarded, sql: str) -> tuple[str, str]:
    """Return "refused", "answered" or "failed", and the text that came with it."""
    try:
        text = await guarded.passed(sql)
    except QueryRefused as refusal:
        return "refused", refusal.message
    began_s = time.perf_counter()
    params = {"p": "1", "t": "secret", "db": "other", "c": "x", "s": "x String", "f": "sum"}
    try:
        answer = await guarded.store.answer(text, params, format="JSONCompact", limits=LIMITS)
        said = ("answered", answer.body.decode("utf-8", "replace"))
    except PlayheadError as error:
        said = ("failed", error.message)
    if time.perf_counter() - began_s > LIMITS.timeout_ms / 1000 + GRACE_S:
        return "endless", text
    return said


def wrong(expected: str, how: str, text: str) -> str:
    if how == "endless" or any(mark in text for mark in SHOWN if how != "refused"):
        return how
    if (how != "refused") != (expected == "pass"):
        return f"{how}, not {expected}"
    return ""


@pytest.fixture
async def guarded(store: RunningStore) -> AsyncGenerator[Guarded, None]:
    made = Guarded(AsyncStoreClient(store.location, database=DATABASE), "views")
    yield made
    await made.close()


@pytest.mark.slow
@pytest.mark.parametrize("technique", list(ATTACKS))
async def test_nothing_shows(technique: str, guarded: Guarded, laid: Bait) -> None:
    rows = await guarded.store.rows(ALL_SECRETS)
    found = []
    for entry in ATTACKS[technique]:
        given = entry if isinstance(entry, dict) else {"sql": entry}
        how, text = await outcome(guarded, laid.put_into(given["sql"]))
        fault = wrong("pass" if given.get("pass") else "refuse", how, text)
        if fault:
            found.append(f"{fault}: {given['sql']!r} → {text[:200]}")
    assert not found, "\n".join(found)
    assert (await guarded.store.rows(ALL_SECRETS)).rows == rows.rows
    assert (laid.knocks, laid.out.exists(), laid.canary.read_text()) == (0, False, CANARY)


@pytest.mark.slow
async def test_the_starter_list_is_refused_or_harmless(guarded: Guarded, laid: Bait) -> None:
    """The list the design came with, where it lies beside the checkout."""
    if not STARTER.exists():
        pytest.skip("no starter list here")
    for line in STARTER.read_text().splitlines():
        if line and not line.startswith("--"):
            how, text = await outcome(guarded, line)
            assert how != "endless", line
            assert how == "refused" or not any(mark in text for mark in (*SHOWN, "root:")), line


async def test_a_leak_would_be_seen(guarded: Guarded, laid: Bait) -> None:
    """Without the guard the store does all of it, read-only or not; so the bait is good."""
    seen = json.dumps((await guarded.store.rows("SELECT *, leak('') FROM secret LIMIT 1")).rows)
    read = json.dumps((await guarded.store.rows(f"SELECT file('{laid.canary}')")).rows)
    with pytest.raises(PlayheadError):
        await guarded.store.rows(
            f"DESCRIBE url('http://127.0.0.1:{laid.port}/x.csv', 'CSV')",
            limits=Limits(timeout_ms=500),
        )
    await asyncio.sleep(0.2)  # the thread that counts may come a moment later
    knocks, laid.knocks = laid.knocks, 0
    assert HIDDEN in seen
    assert CANARY in read
    assert knocks > 0
