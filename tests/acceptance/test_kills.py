"""Any process dies at any moment under load: every acknowledged event is there once."""

import os
import random
import time
from pathlib import Path

from support.books import result_of, start_load, wrong_views
from support.server import Server

KILLS = int(os.environ.get("PLAYHEAD_TEST_KILLS", "5"))
ROLES = ("web", "worker", "store")
RATE = 60


def test_random_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    rng = random.Random(os.environ.get("PLAYHEAD_TEST_SEED", "1"))
    with Server(tmp_path / "data") as server:
        out = tmp_path / "load.json"
        seconds = 3 + 3 * KILLS
        load = start_load(
            server, out, seconds=seconds, rate=RATE, events=20, views=120, connections=8,
            batches_per_view=12,
        )  # fmt: skip
        for at in range(KILLS):
            time.sleep(rng.uniform(1.0, 3.5))
            server.kill(ROLES[at % 3] if at < 3 else rng.choice(ROLES))
        assert load.wait(seconds + 60) == 0
        status = server.wait_until_stored(90)
        result = result_of(out)
        assert result["events"] > 0
        assert wrong_views(server, result) == []
        books = status["events"]
        assert books["equation_holds"]
        assert books["stored"] >= result["events"]
