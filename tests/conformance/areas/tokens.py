"""Tokens: scopes, JWTs, and what `/v0/tokens` answers.

`scope` is a line that must read as `reads`, or be `refused` with these words. `scopes` are a token's:
each of `may` and `may_not` is a line `TYPE[:resource]`, `filters` and `fixed` what it says of them.
`jwt` changes the payload of a good token (`key`, `algorithm`, `header` its signature); `grants` are its
scopes, or it is `refused`. `steps` are requests one after the other: `ask` is `METHOD path`, `as` whose
token it has (`admin`, "" none, or the name of a token made before), then `params`, `json`, `form`;
`status` and `says` are the answer's, `has` and `has_not` words of it. `{now}` in a text is the clock's
time in seconds.
"""

import asyncio
import tempfile
import warnings
from pathlib import Path
from typing import Any

import httpx2
import jwt
import msgspec

from playhead.access import Grant, Scope, Tokens, checked_all, scope_of
from playhead.clock import ManualClock
from playhead.config.file import load
from playhead.errors import Forbidden, PlayheadError
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.serve.app import create_app
from playhead.serve.services import Services
from playhead.store.client import AsyncStoreClient
from playhead.store.location import embedded

NOW_S = 1_700_000_000
PAYLOAD = {
    "name": "viewer", "exp": NOW_S + 60, "scopes": [{"type": "PIPES:READ", "resource": "top_titles"}],
}  # fmt: skip


def run(case: dict[str, Any]) -> None:
    """Run one case."""
    with tempfile.TemporaryDirectory() as folder:
        if "steps" in case:
            asyncio.run(_walk(Path(folder), case["steps"]))
        elif "jwt" in case:
            _sign(Path(folder), case)
        elif "scopes" in case:
            _ask(case)
        else:
            _read(case)


def _read(case: dict[str, Any]) -> None:
    try:
        found = msgspec.to_builtins(scope_of(case["scope"]))
    except PlayheadError as error:
        _refused(case, error)
        return
    assert found == case["reads"], found


def _ask(case: dict[str, Any]) -> None:
    try:
        scopes = checked_all([_scope(one) for one in case["scopes"]])
    except PlayheadError as error:
        _refused(case, error)
        return
    assert "refused" not in case, scopes
    grant = Grant("id", "", "scoped", None, 0, scopes)
    for expected in (True, False):
        for line in case.get("may" if expected else "may_not", ()):
            words = line.split(":")
            resource = words.pop() if len(words) == 3 else ""
            assert grant.may(":".join(words), resource) is expected, line
    assert grant.filters() == case.get("filters", grant.filters())
    for pipe, fixed in case.get("fixed", {}).items():
        assert grant.fixed_params(pipe) == fixed


def _scope(said: Any) -> Scope:
    return scope_of(said) if isinstance(said, str) else msgspec.convert(said, Scope)


def _sign(folder: Path, case: dict[str, Any]) -> None:
    tokens = Tokens(folder / "access.db", ManualClock(NOW_S * 1000))
    tokens.ensure_admin(folder)
    payload = {**PAYLOAD, "workspace_id": tokens.workspace_id, **case["jwt"]}
    payload = {name: value for name, value in payload.items() if value is not None}
    key = case.get("key", (folder / "admin.token").read_text().strip())
    algorithm = case.get("algorithm", "HS256")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = jwt.encode(payload, key, algorithm=algorithm, headers=case.get("header"))
    if "then" in case:
        tokens.refresh(case["then"])
    try:
        grant = tokens.resolve(text)
    except Forbidden as error:
        _refused(case, error)
        return
    finally:
        tokens.close()
    assert grant is not None
    assert [scope.text for scope in grant.scopes] == case["grants"]
    assert grant.rps == case.get("rps")
    for pipe, fixed in case.get("fixed", {}).items():
        assert grant.fixed_params(pipe) == fixed


def _refused(case: dict[str, Any], error: PlayheadError) -> None:
    assert "refused" in case, error.message
    assert case["refused"] in error.message, error.message


async def _walk(folder: Path, steps: list[dict[str, Any]]) -> None:
    clock = ManualClock(NOW_S * 1000)
    config = load(overrides={"data.dir": str(folder)}).config
    tokens = Tokens(folder / "access.db", clock)
    tokens.ensure_admin(folder)
    services = Services(
        config=config, clock=clock, store=AsyncStoreClient(embedded(folder)), tokens=tokens,
        log=MemoryLog(config.log, clock), ledger=Ledger(folder / "worker.db"),
    )  # fmt: skip
    secrets = {"admin": (folder / "admin.token").read_text().strip(), "": ""}
    transport = httpx2.ASGITransport(create_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://playhead") as http:
        for step in steps:
            clock.advance(step.get("after_ms", 0))
            response = await _request(http, step, secrets)
            _check(step, response)
            made = response.json()
            if isinstance(made, dict) and "token" in made:
                secrets[str(step.get("call_it", made["name"]))] = made["token"]
    await services.store.close()
    services.ledger.close()
    tokens.close()


async def _request(
    http: httpx2.AsyncClient, step: dict[str, Any], secrets: dict[str, str]
) -> httpx2.Response:
    method, path = step["ask"].split(" ", 1)
    secret = secrets[step.get("as", "admin")]
    params = step.get("params", {})
    headers = {}
    if step.get("by") == "address":
        params = {**params, "token": secret}
    elif secret:
        headers["authorization"] = f"Bearer {secret}"
    return await http.request(
        method, path.replace("{now}", str(NOW_S)), params=params or None, headers=headers,
        json=step.get("json"), data=step.get("form"),
    )  # fmt: skip


def _check(step: dict[str, Any], response: httpx2.Response) -> None:
    assert response.status_code == step.get("status", 200), response.text
    said = response.json()
    if response.status_code >= 400:
        assert isinstance(said["error"], str)
        assert said["documentation"].startswith("/docs/errors#")
    for name, value in step.get("says", {}).items():
        assert said[name] == value, said
    for words in step.get("has", ()):
        assert words in response.text, response.text
    for words in step.get("has_not", ()):
        assert words not in response.text, response.text
    for name, value in step.get("headers", {}).items():
        assert response.headers[name] == value
