"""A recorded CDN log, two broken lines in it: its KPIs, and two rows in quarantine."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.lumos import data_folder
from support.server import Server


def recorded() -> list[bytes]:
    path = data_folder() / "cdn" / "edgecast.ndjson"
    if not path.exists():
        pytest.skip("no recordings here; PLAYHEAD_DATA names their folder")
    return path.read_bytes().splitlines()


def expected(lines: list[bytes]) -> dict[str, Any]:
    rows = [msgspec.json.decode(line) for line in lines]
    return {
        "requests": len(rows),
        "errors": sum(row["status_code"] >= 400 for row in rows),
        "hits": sum(row["cache_status"] == "TCP_HIT" for row in rows),
        "bytes": sum(row["bytes_out"] for row in rows),
    }


def test_a_recorded_log_gives_its_numbers_and_two_broken_lines_two_rows(tmp_path: Path) -> None:
    lines = recorded()
    body = b"\n".join([*lines[:3], b'{"broken', *lines[3:], b'{"path":"/no/time.ts"}'])
    with Server(tmp_path / "data") as server:
        answer = server.http.post(f"{server.url}/logs/cdn?format=edgecast", content=body).json()
        assert (answer["accepted"], answer["rejected_total"]) == (len(lines), 2)
        server.wait_until_stored()
        rows = server.get(
            "/v1/cdn/kpis", **{"from": "2021-09-01", "to": "2021-10-01", "interval": "all"},
            group_by="cdn",
        )["data"]  # fmt: skip
        assert [{name: row[name] for name in expected(lines)} for row in rows] == [expected(lines)]
        assert len(server.get("/v1/quarantine", door="cdn")["data"]) == 2
