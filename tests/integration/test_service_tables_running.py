"""Service data sources of a running server: what its own doors, answers and clients leave behind."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("records") / "data") as running:
        yield running


def rows(server: Server, sql: str, least: int = 1) -> list[dict[str, Any]]:
    """Rows of a query, once there are so many: they are written each second."""
    found: list[dict[str, Any]] = []
    until = time.monotonic() + 30
    while time.monotonic() < until and len(found) < least:
        answer = server.http.get(
            f"{server.url}/v0/sql",
            params={"q": f"{sql} FORMAT JSON"},
            headers={"authorization": f"Bearer {server.token}"},
        )
        found = answer.json().get("data", [])
        time.sleep(0.1)
    return found


def test_requests_of_the_events_api_are_counted(server: Server) -> None:
    row = b'{"stream_id":"s","frame":1,"fps":30,"timestamp":%d}\n' % int(time.time() * 1000)
    headers = {"authorization": f"Bearer {server.token}"}
    sent = server.http.post(
        f"{server.url}/v0/events?name=stream_frames", content=row * 2, headers=headers
    )
    assert sent.status_code == 202, sent.text
    (seen,) = rows(
        server,
        "SELECT sum(rows_total) AS rows, sum(bytes) AS bytes FROM tinybird.hfi_requests"
        " WHERE datasource_name = 'stream_frames' HAVING rows > 0",
    )
    assert (int(seen["rows"]), int(seen["bytes"])) == (2, 2 * len(row))


def test_sql_is_recorded_and_the_state_of_the_recorder_told(server: Server) -> None:
    rows(server, "SELECT 'look for me'")
    found = rows(
        server,
        "SELECT parameters['q'] AS q, token_name FROM tinybird.pipe_stats_rt"
        " WHERE pipe_name = 'query_api' AND q LIKE '%look for me%' LIMIT 1",
    )
    assert found
    assert server.status()["records"]["dropped"] == 0
    assert "playhead_records_written_total" in server.http.get(f"{server.url}/metrics").text


def test_a_client_of_clickhouse_finds_it_at_the_root(server: Server) -> None:
    answer = server.http.post(
        f"{server.url}/",
        content="SELECT 1 AS one FORMAT JSONEachRow",
        auth=("default", server.token),
    )
    assert answer.text == '{"one":1}\n'
    assert server.http.get(f"{server.url}/").headers["content-type"].startswith("text/html")


def test_rows_that_wait_are_written_at_the_end(server: Server) -> None:
    rows(server, "SELECT 'just before the end'")
    server.stop()
    server.start()
    assert rows(
        server,
        "SELECT 1 FROM tinybird.pipe_stats_rt"
        " WHERE parameters['q'] LIKE '%just before the end%' LIMIT 1",
    )
