"""What a request leaves behind in the store: nothing."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any, cast

import pytest

from playhead.config import Config
from playhead.errors import QueryFailed
from playhead.store.engine import Engine
from playhead.store.http import StoreApp
from playhead.store.job import Job
from playhead.store.session import Session, Written

INSERT = b"query=INSERT+INTO+t+FORMAT+JSONEachRow"


class FakeEngine:
    """Takes inserts, or fails them, and keeps a weak hand on the job each is of."""

    def __init__(self, *, broken: bool) -> None:
        self.app = StoreApp(cast("Engine", self), Config())
        self.broken = broken
        self.jobs: list[weakref.ref[Job]] = []

    def insert(self, _session: Session, _sql: str, _format: str, _body: bytes) -> Written:
        self.jobs.extend(weakref.ref(job) for job in self.app._jobs)
        if self.broken:
            raise QueryFailed("Code: 27. DB::Exception: No row.", engine_code=27)
        return Written()

    async def post(self, body: bytes) -> int:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "path": "/", "method": "POST", "headers": []}
        await self.app({**scope, "query_string": INSERT}, receive, send)
        return int(sent[0]["status"])


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(("broken", "status"), [(False, 200), (True, 400)])
async def test_an_insert_is_let_go_when_it_is_answered(*, broken: bool, status: int) -> None:
    engine = FakeEngine(broken=broken)
    assert await engine.post(b"{}") == status
    for _ in range(500):
        if engine.jobs[0]() is None:
            return
        await asyncio.sleep(0.01)  # the thread that ran it is about to let go, too
    raise AssertionError(engine.jobs[0]())
