"""CDN logs through a running Playhead: lines in over HTTP, rows and quarantine in the store."""

import time
from pathlib import Path

import msgspec

from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.server import Server

QUERY = "CMCD=bl%3D2100%2Cbs%2Csid%3D%22018f-ccc%22%2Cv%3D2%2Cbr%3D%283200%3Bv%29"


def test_lines_are_stored_with_their_numbers_and_broken_ones_in_quarantine(tmp_path: Path) -> None:
    at_ms = int(time.time() * 1000) - 60_000
    good = {"timestamp": at_ms / 1000, "path": "/a/b/c.m4s", "client_ip": "203.0.113.9"}
    lines = [
        {**good, "status_code": 503, "bytes_out": 7, "query": QUERY, "cache_status": "TCP_HIT"},
        {"path": "/x", "client_ip": "203.0.113.9"},
        {**good, "new": {"a": 1}},
    ]
    body = b"\n".join(map(msgspec.json.encode, lines))
    with Server(tmp_path / "data") as server:
        answer = server.http.post(f"{server.url}/logs/cdn?format=edgecast", content=body).json()
        assert (answer["accepted"], answer["rejected_total"]) == (2, 1)
        server.wait_until_stored()
        client = StoreClient(embedded(tmp_path / "data"))
        found = client.rows(
            "SELECT toUnixTimestamp64Milli(at), status, cache, bytes_out, view_id, bitrate_kbps,"
            " starved, JSONExtractString(cmcd, 'sid'), extra, address"
            " FROM playhead.cdn_requests ORDER BY log_index"
        ).rows
        kept = client.rows("SELECT door, source, code, body FROM playhead.quarantine").rows
        client.close()
    assert [list(row) for row in found] == [
        [at_ms, 503, "hit", 7.0, "018f-ccc", 3200.0, True, "018f-ccc", "", ""],
        [at_ms, 0, "", None, "", None, None, "", '{"new":"{\\"a\\":1}"}', ""],
    ]
    assert [list(row) for row in kept] == [
        ["cdn", "edgecast", "invalid_line", '{"path":"/x","client_ip":"0.0.0.0"}']
    ]
