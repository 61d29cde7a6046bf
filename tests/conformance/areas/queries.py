"""Queries over HTTP: a small project, one request, and what must come back.

A case has `use` (a project of `PROJECTS` below) or `files` and `rows`, `secrets`, `limits` (of
`[pipes]`), `request` and `expect`:

- `request`: `path`, `method`, `params` (lists are repeated keys), `json`, `form`, `body` with
  `type`, `headers`, `scopes` (a token with these; without it the admin's), `kind` or
  `property` (a token of these), `token` ("" = none).
- `expect`: `status` (200), `data` (the rows of a JSON answer), `meta` (names and types), `json` (the
  whole body), `text` (exactly), `error` (exactly), `says` (parts of the body), `silent` (what must
  not be in it), `headers` (parts of them), `keys` (paths that must be there).
"""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import yaml

from playhead.access import Scope, scope_of
from playhead.record.tables import make_service_tables
from support.pipe_project import PipeProject
from support.running_store import RunningStore, running_store

PROJECTS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).with_name("queries_projects.yaml")).read_text("utf-8")
)


class _Running:
    """The store of this area, started with the first case."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.store: RunningStore | None = None

    def folder(self) -> Path:
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory()))

    def started(self) -> RunningStore:
        if self.store is None:
            self.store = self.stack.enter_context(running_store(self.folder() / "data"))
        return self.store


_RUNNING = _Running()


def close() -> None:
    """End the store."""
    _RUNNING.stack.close()
    _RUNNING.store = None


def run(case: dict[str, Any]) -> None:
    """Run one case."""
    asyncio.run(_run(case))


async def _run(case: dict[str, Any]) -> None:
    given = {**PROJECTS[case["use"]], **case} if "use" in case else case
    project = PipeProject(
        _RUNNING.started(),
        _RUNNING.folder(),
        {**given.get("files", {}), **case.get("more_files", {})},
        values=given.get("secrets"),
        limits=given.get("limits"),
    )
    try:
        if "tinybird." in str(case):
            await make_service_tables(project.store)
        await project.build(given.get("rows"))
        for _ in range(case.get("times", 1)):
            answer = await _asked(project, case["request"])
        _check(answer, case.get("expect", {}))
    finally:
        await project.close()


async def _asked(project: PipeProject, request: dict[str, Any]) -> httpx2.Response:
    options: dict[str, Any] = {"headers": dict(request.get("headers", {}))}
    token = request.get("token")
    if "scopes" in request:
        token = project.token(*(_scope(one) for one in request["scopes"]))
    if "kind" in request or "property" in request:
        token = project.tokens.create(request.get("kind", "read"), "", request.get("property"))[1]
    if "params" in request:
        options["params"] = request["params"]
    if "json" in request:
        options["json"] = request["json"]
    if "form" in request:
        options["content"] = urlencode(request["form"], doseq=True).encode()
        options["headers"]["content-type"] = "application/x-www-form-urlencoded"
    if "body" in request:
        options["content"] = request["body"].encode()
        options["headers"]["content-type"] = request.get("type", "text/plain")
    return await project.ask(
        request["path"], token=token, method=request.get("method", "GET"), **options
    )


def _scope(given: str | dict[str, Any]) -> Scope:
    return scope_of(given) if isinstance(given, str) else Scope(**given)


def _check(answer: httpx2.Response, expect: dict[str, Any]) -> None:
    text = answer.text
    assert answer.status_code == expect.get("status", 200), text
    if "text" in expect:
        assert text == expect["text"], text
    if "json" in expect:
        assert answer.json() == expect["json"], text
    if "data" in expect:
        assert answer.json()["data"] == expect["data"], text
    if "meta" in expect:
        meta = {one["name"]: one["type"] for one in answer.json()["meta"]}
        assert meta == expect["meta"], text
    if "error" in expect:
        assert answer.json()["error"] == expect["error"], text
    for part in expect.get("says", ()):
        assert part in text, f"{part!r} is not in {text}"
    for part in expect.get("silent", ()):
        assert part not in text, f"{part!r} is in {text}"
    for name, part in expect.get("headers", {}).items():
        assert part in answer.headers.get(name, ""), f"{name}: {answer.headers.get(name)}"
    for path in expect.get("keys", ()):
        assert _reached(answer.json(), path), f"{path} is not in {text}"


def _reached(value: Any, path: str) -> bool:
    for part in path.split("."):
        if isinstance(value, list):
            if not part.isdigit() or int(part) >= len(value):
                return False
            value = value[int(part)]
        elif part in value:
            value = value[part]
        else:
            return False
    return True
