"""A soak without faults finds nothing wrong; a store from which somebody takes a row is found out."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.soak import SENDERS
from bench.soak_audit import audit_at_the_end, audit_under_load
from bench.soak_book import read_book
from bench.soak_disk import Disk
from bench.soak_server import SOURCE, SoakServer

SABOTAGE = {
    "telemetry": "ALTER TABLE playhead.events DELETE WHERE door = 'telemetry' AND seq = 3",
    "cdn": "ALTER TABLE playhead.cdn_requests DELETE WHERE bytes_out = 1000007",
    "rows": "INSERT INTO project.plays SELECT * FROM project.plays WHERE number = 5",
    "imports": "ALTER TABLE project.imported DELETE WHERE number = 17",
}


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("PLAYHEAD_FULL"), reason="half a minute of load: PLAYHEAD_FULL"
)
def test_what_is_taken_from_the_store_is_missed(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk", "a folder", fillable=False)
    path = tmp_path / "book.json"
    with SoakServer(tmp_path, disk, SOURCE) as server:
        server.build(tmp_path)
        command = [sys.executable, str(SENDERS), "--url", server.url, "--out", str(path)]
        senders = subprocess.Popen(command, env={**os.environ, "PLAYHEAD_TOKEN": server.token})
        try:
            time.sleep(8)
            assert audit_under_load(server, path) == []
            senders.terminate()
            assert senders.wait(90) == 0
        finally:
            if senders.poll() is None:
                senders.kill()
                senders.wait()
        book = read_book(path)
        assert all(book.items(door) for door in SABOTAGE)
        assert audit_at_the_end(server, book) == []
        client = server.client()
        for statement in SABOTAGE.values():
            client.command(statement, settings={"mutations_sync": 1})
        client.close()
        wrong = audit_at_the_end(server, book)
        assert {sentence.split()[0] for sentence in wrong} >= set(SABOTAGE)
