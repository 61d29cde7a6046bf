import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.config.file import load
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.serve.app import create_app
from playhead.serve.services import Services
from playhead.store.client import AsyncStoreClient
from playhead.store.location import embedded


async def door(scope: Scope, _: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 202, "headers": []})
    await send({"type": "http.response.body", "body": scope["method"].encode()})


@pytest.fixture
async def http(tmp_path: Path) -> AsyncGenerator[httpx2.AsyncClient, None]:
    """An app whose store is not there."""
    config, clock = load(overrides={"data.dir": str(tmp_path)}).config, ManualClock()
    services = Services(
        config=config, clock=clock, store=AsyncStoreClient(embedded(tmp_path)),
        tokens=Tokens(tmp_path / "access.db", clock), log=MemoryLog(config.log, clock),
        ledger=Ledger(tmp_path / "worker.db", writable=False),
    )  # fmt: skip
    app = create_app(services, {"/telemetry": door})
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://playhead") as client:
        yield client
    services.tokens.close()
    await services.store.close()


async def test_a_door_is_called_as_it_is(http: httpx2.AsyncClient) -> None:
    response = await http.post("/telemetry")
    assert (response.status_code, response.text) == (202, "POST")
    assert "content-security-policy" not in response.headers


async def test_alive_without_a_store_but_not_ready(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/healthz")).status_code == 200
    ready = await http.get("/readyz")
    assert ready.status_code == 503
    assert "The store does not answer." in ready.json()["data"]["reasons"]


async def test_the_page_loads_nothing_from_elsewhere(http: httpx2.AsyncClient) -> None:
    response = await http.get("/")
    assert re.findall(r'(?:src|href)="(?:https?:)?//', response.text) == []
    assert "'unsafe" not in response.headers["content-security-policy"]


async def test_prometheus_text_holds_the_pipeline(http: httpx2.AsyncClient) -> None:
    text = (await http.get("/metrics")).text
    assert "playhead_pipeline_lag_records 0.0" in text
    assert "playhead_pipeline_equation_holds 1.0" in text


async def test_a_surprise_is_answered_and_its_log_holds_no_token(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a surprise")

    monkeypatch.setattr(Tokens, "resolve", broken)
    response = await http.get("/v1/metrics", params={"token": "secret-of-mine"})
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    said = "".join(capsys.readouterr())
    assert "a surprise" in said
    assert "secret-of-mine" not in said
