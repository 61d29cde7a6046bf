"""Exactly once: the store dies in the middle of a block, the block is sent again."""

import random
import signal
import threading
import time
from pathlib import Path

from playhead.errors import StoreUnavailable
from support.running_store import RunningStore, now_ms, running_store

ROWS = 400_000
COLUMNS = ("received_at", "log_offset", "code")
COUNTER = """
CREATE MATERIALIZED VIEW IF NOT EXISTS counted
ENGINE = SummingMergeTree ORDER BY code SETTINGS non_replicated_deduplication_window = 10000
AS SELECT code, count() AS n FROM quarantine GROUP BY code
"""


def block(seed: int) -> bytes:
    today_ms = now_ms()
    day_ms = 86_400_000
    return b"".join(
        b'[%d,%d,"code%d"]\n' % (today_ms - i % 2 * day_ms, i, (i + seed) % 100)
        for i in range(ROWS)
    )


def interrupted(store: RunningStore, body: bytes, token: str, after_s: float) -> bool:
    """Insert, kill the store under it, and return whether the insert failed."""
    threading.Timer(after_s, store.process.kill).start()
    try:
        store.client.insert("quarantine", COLUMNS, body, token=token)
    except StoreUnavailable:
        store.process.wait()
        return True
    store.process.wait()
    return False


def test_a_block_cut_by_kill_and_sent_again_counts_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    bodies = {f"quarantine:{i}": block(i) for i in range(4)}
    with running_store(tmp_path) as store:
        store.client.command(COUNTER)
        started = time.monotonic()
        store.client.insert("quarantine", COLUMNS, bodies["quarantine:0"], token="quarantine:0")  # noqa: S106
        needed_s = time.monotonic() - started
    failed = 0
    for token, body in bodies.items():
        with running_store(tmp_path) as store:
            failed += interrupted(store, body, token, needed_s * chance.uniform(0.2, 0.9))
        with running_store(tmp_path) as store:
            store.client.insert("quarantine", COLUMNS, body, token=token)
            assert store.end(signal.SIGTERM) == 0
    with running_store(tmp_path) as store:
        found = store.client.rows(
            "SELECT count(), uniqExact(log_offset), (SELECT sum(n) FROM counted) FROM quarantine"
        )
    assert found.rows == [[ROWS * len(bodies), ROWS, ROWS * len(bodies)]]
    assert failed > 0
