"""What a change of the schema costs under steady writes: rows lost, writes held up, time."""

import threading
import time
from pathlib import Path
from typing import Any, Final

from bench.lines import Line
from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.server import Server

ROWS: Final = 10_000_000
QUICK_ROWS: Final = 500_000
BATCH: Final = 100
EVERY_S: Final = 0.05
_PLAYS: Final = """SCHEMA >
    at DateTime `json:$.at`,
    title String `json:$.title`,
    country LowCardinality(String) `json:$.country` DEFAULT '',
    seconds UInt32 `json:$.seconds`

ENGINE "MergeTree"
ENGINE_SORTING_KEY "at"
"""
_DAILY: Final = """SCHEMA >
    day Date,
    plays AggregateFunction(count),
    seconds SimpleAggregateFunction(sum, UInt64)

ENGINE "AggregatingMergeTree"
ENGINE_SORTING_KEY "day"
"""
_VIEW: Final = """NODE by_day
SQL >
    SELECT toDate(at) AS day, countState() AS plays, sum(toUInt64(seconds)) AS seconds
    FROM plays GROUP BY day
TYPE materialized
DATASOURCE daily
"""
_FILES: Final = {"plays.datasource": _PLAYS, "daily.datasource": _DAILY, "daily_view.pipe": _VIEW}
_CHANGED: Final = _PLAYS.replace('SORTING_KEY "at"', 'SORTING_KEY "title, at"').replace(
    "seconds UInt32", "seconds UInt64"
)
_MADE: Final = (
    "INSERT INTO `{database}`.plays SELECT toDateTime('2026-01-01') + number % 2592000,"
    " concat('title ', toString(number % 1000)), 'PT', number % 300 FROM numbers({rows})"
)


class _Writer(threading.Thread):
    """Posts batches and waits for each to be stored; notes how long every one took."""

    def __init__(self, server: Server, *, wait: bool) -> None:
        super().__init__(daemon=True)
        self._server = Server(server.data)
        self._server.port = server.port
        self._wait = wait
        self.ended = threading.Event()
        self.rows = 0
        self.took_s: list[tuple[float, float]] = []
        """When each began, and how long it took."""

    def run(self) -> None:
        """Write until told to end."""
        line = '{"at":"2026-01-15 00:00:00","title":"live","country":"PT","seconds":1}'
        body = "\n".join([line] * BATCH)
        params = {"name": "plays", "wait": "true" if self._wait else "false"}
        headers = {"authorization": f"Bearer {self._server.token}"}
        while not self.ended.is_set():
            began_s = time.monotonic()
            answer = self._server.http.post(
                f"{self._server.url}/v0/events", params=params, content=body, headers=headers
            )
            if answer.status_code not in {200, 202}:
                raise SystemExit(f"{answer.status_code} {answer.text}")
            self.rows += BATCH
            self.took_s.append((began_s, time.monotonic() - began_s))
            self.ended.wait(EVERY_S)

    def longest_s(self, from_s: float, to_s: float) -> float:
        """Return the longest of those under way between two moments."""
        return max(
            (took for began, took in self.took_s if began <= to_s and began + took >= from_s),
            default=0.0,
        )


def deployments(folder: Path, *, quick: bool) -> list[Line]:
    """Another sorting key and a wider type for a table that is written all the while."""
    rows = QUICK_ROWS if quick else ROWS
    with Server(folder / "data") as server:
        _deployed(server, _FILES)
        _fill(server, rows)
        writers = [_Writer(server, wait=True), _Writer(server, wait=False)]
        for writer in writers:
            writer.start()
        time.sleep(3)
        began_s = time.monotonic()
        made = _deployed(server, {**_FILES, "plays.datasource": _CHANGED}, promote=False)
        ready_s = time.monotonic()
        _asked(server, "POST", f"/v1/deployments/{made['id']}/set-live")
        live_s = time.monotonic()
        time.sleep(2)
        for writer in writers:
            writer.ended.set()
            writer.join()
        sent = rows + sum(writer.rows for writer in writers)
        stored, daily = _counted(server, sent)
    waited = writers[0].longest_s(began_s, live_s) * 1000
    usual = sorted(took for _, took in writers[0].took_s)[len(writers[0].took_s) // 2] * 1000
    what = f"{rows:,} rows get another sorting key and type under steady writes"
    return [
        Line(f"{what}: rows lost or doubled", f"{abs(sent - stored) + abs(sent - daily)}", "0"),
        Line("— rows held off by the cut", f"{made['pause_ms']} ms", "≤ 1,000 ms"),
        Line(
            "— longest write until queryable, cut to promotion",
            f"{waited:,.0f} ms (median of all {usual:,.0f} ms)",
            "",
        ),
        Line("— until its rows were there", f"{ready_s - began_s:.1f} s", ""),
        Line("— promotion, call to answer", f"{(live_s - ready_s) * 1000:,.0f} ms", ""),
    ]


def _deployed(server: Server, files: dict[str, str], *, promote: bool = True) -> dict[str, Any]:
    """Deploy files; return the deployment once its rows are there, or it is live."""
    parts = [("data_project://", (path, text.encode())) for path, text in files.items()]
    flag = {"auto_promote": "true"} if promote else {}
    said = _asked(server, "POST", "/v1/deploy", params=flag, files=parts)
    if said["result"] != "success":
        raise SystemExit(str(said))
    wanted = "live" if promote else "data_ready"
    while True:
        path = f"/v1/deployments/{said['deployment']['id']}"
        one: dict[str, Any] = _asked(server, "GET", path)["deployment"]
        if one["state"] == wanted:
            return one
        if one["state"] == "failed":
            raise SystemExit(str(one["errors"]))
        time.sleep(0.1)


def _asked(server: Server, method: str, path: str, **more: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {server.token}"}
    answer = server.http.request(method, server.url + path, headers=headers, **more)
    if answer.status_code != 200:
        raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
    found: dict[str, Any] = answer.json()
    return found


def _fill(server: Server, rows: int) -> None:
    store = StoreClient(embedded(server.data))
    try:
        store.command(_MADE.format(database="project_d1", rows=rows))
    finally:
        store.close()


def _counted(server: Server, sent: int) -> tuple[int, int]:
    """Return how many rows the table and its view tell of, once no more come."""
    sql = (
        "SELECT (SELECT count() FROM plays) AS a, (SELECT countMerge(plays) FROM daily) AS b"
        " FORMAT JSONCompact"
    )
    found = (0, 0)
    for _ in range(100):
        answer = _asked(server, "GET", "/v0/sql", params={"q": sql})["data"][0]
        found = (int(answer[0]), int(answer[1]))
        if found == (sent, sent):
            break
        time.sleep(0.2)
    return found
