"""A project on a running server, over HTTP alone: built, filled, asked, its jobs waited for."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import httpx2
import msgspec

from support.server import Server

WAIT_S = 90.0
_encode = msgspec.json.Encoder().encode_lines


class ApiProject:
    """Speaks to a server as the admin of its project."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.server.token}", **options.pop("headers", {})}
        return self.server.http.request(method, self.server.url + path, headers=headers, **options)

    def build(self, files: Mapping[str, str]) -> None:
        parts = [("data_project://", (path, text.encode())) for path, text in files.items()]
        answer = self.ask("POST", "/v1/build", files=parts)
        assert answer.json().get("result") == "success", answer.text

    def send(self, datasource: str, rows: Iterable[Mapping[str, Any]]) -> None:
        path = f"/v0/events?name={datasource}&wait=true"
        answer = self.ask("POST", path, content=_encode(rows))
        assert answer.status_code == 200, answer.text
        assert answer.json()["quarantined_rows"] == 0, answer.text

    def sql(self, query: str) -> list[dict[str, Any]]:
        answer = self.ask("POST", "/v0/sql", params={"q": f"{query} FORMAT JSON"})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    def run(self, path: str) -> str:
        """Begin a job; return its id."""
        answer = self.ask("POST", path)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    def ended(self, job: str) -> dict[str, Any]:
        """Wait until a job has ended, over restarts of the server; return it."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            try:
                answer = self.ask("GET", f"/v0/jobs/{job}")
            except httpx2.HTTPError:
                time.sleep(0.1)
                continue
            if answer.status_code == 200:
                said: dict[str, Any] = answer.json()
                if said["status"] in {"done", "error", "cancelled"}:
                    return said
            time.sleep(0.1)
        raise AssertionError(f"the job did not end: {self.server.log_tail()}")
