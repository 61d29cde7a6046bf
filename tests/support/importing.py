"""A server with a project, and files sent to its data sources."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx2

from support.server import Server

ENDED = {"done", "error", "cancelled"}
WITHIN_S = 120.0
PLAYS = """SCHEMA >
    id UInt32,
    title String,
    at DateTime,
    seconds Float64,
    country LowCardinality(String),
    done Nullable(UInt8)

ENGINE MergeTree
ENGINE_PARTITION_KEY toYYYYMM(at)
ENGINE_SORTING_KEY id
"""
BY_MONTH = """SCHEMA >
    at Date,
    plays UInt64

ENGINE SummingMergeTree
ENGINE_PARTITION_KEY toYYYYMM(at)
ENGINE_SORTING_KEY at
"""
BY_COUNTRY = """SCHEMA >
    country String,
    plays UInt64

ENGINE SummingMergeTree
ENGINE_SORTING_KEY country
"""
FILL_MONTH = """NODE month
SQL >
    SELECT toDate(at) AS at, count() AS plays FROM plays GROUP BY at
TYPE materialized
DATASOURCE by_month
"""
FILL_COUNTRY = """NODE country
SQL >
    SELECT country, count() AS plays FROM plays GROUP BY country
TYPE materialized
DATASOURCE by_country
"""
FILES = {
    "datasources/plays.datasource": PLAYS,
    "datasources/by_month.datasource": BY_MONTH,
    "datasources/by_country.datasource": BY_COUNTRY,
    "pipes/fill_month.pipe": FILL_MONTH,
    "pipes/fill_country.pipe": FILL_COUNTRY,
}
HEAD = "id,title,at,seconds,country,done\n"


def line(number: int, country: str = "DE", month: int = 1) -> str:
    return f'{number},"t ""{number}""\nx",2024-{month:02}-01 10:00:00,{number / 8},{country},\n'


def text(numbers: range, country: str = "DE", month: int = 1) -> str:
    return HEAD + "".join(line(number, country, month) for number in numbers)


class Importing:
    """Asks a server as its admin."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def build(self, files: Mapping[str, str] = FILES) -> None:
        parts = [("data_project://", (path, content)) for path, content in files.items()]
        answer = self.post("/v1/build", files=parts)
        assert answer.json().get("result") == "success", answer.text

    def post(self, path: str, *, token: str | None = None, **given: Any) -> httpx2.Response:
        headers = {
            "authorization": f"Bearer {token or self.server.token}",
            **given.pop("headers", {}),
        }
        return self.server.http.post(self.server.url + path, headers=headers, **given)

    def send(self, path: str, content: str | bytes, **given: Any) -> str:
        """Send a file; return its job's id."""
        data = content.encode() if isinstance(content, str) else content
        answer = self.post(path, content=data, **given)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["import_id"])

    def append(self, content: str | bytes, form: str = "csv", name: str = "plays") -> str:
        return self.send(f"/v1/datasources/{name}/append?format={form}", content)

    def loaded(
        self, content: str | bytes, form: str = "csv", name: str = "plays"
    ) -> dict[str, Any]:
        return self.ended(self.append(content, form, name))

    def job(self, job: str) -> dict[str, Any]:
        return self.server.get(f"/v0/jobs/{job}")

    def ended(self, job: str) -> dict[str, Any]:
        """Wait until a job has ended, also through restarts of the server's processes."""
        until = time.monotonic() + WITHIN_S
        found: dict[str, Any] = {}
        while time.monotonic() < until:
            with suppress(httpx2.HTTPError):
                found = self.job(job)
            if found.get("status") in ENDED:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{found}: {self.server.log_tail()}")

    def sql(self, query: str) -> list[Any]:
        until = time.monotonic() + WITHIN_S
        headers = {"authorization": f"Bearer {self.server.token}"}
        while True:
            try:
                answer = self.server.http.get(
                    f"{self.server.url}/v0/sql",
                    params={"q": f"{query} FORMAT JSONCompact"},
                    headers=headers,
                )
            except httpx2.HTTPError:
                assert time.monotonic() < until
                continue
            if answer.status_code == 503 and time.monotonic() < until:
                time.sleep(0.05)
                continue
            assert answer.status_code == 200, answer.text
            rows: list[Any] = answer.json()["data"]
            return rows

    def one(self, query: str) -> Any:
        return self.sql(query)[0][0]

    def rows(self) -> list[Any]:
        """Return of plays how many there are, how many differ, and what they sum up to."""
        return list(self.sql("SELECT count(), uniqExact(id), sum(id) FROM plays")[0])

    def plays(self) -> tuple[int, int]:
        """Return what the views have counted, by country and by month."""
        return (
            int(self.one("SELECT sum(plays) FROM by_country")),
            int(self.one("SELECT sum(plays) FROM by_month")),
        )
