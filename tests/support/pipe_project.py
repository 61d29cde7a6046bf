"""Projects as texts, live in a server: tables made and filled, `live.json` written, requests asked."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from playhead.access import ADMIN_FILE, Scope, Tokens
from playhead.clock import ManualClock
from playhead.config import Config, Pipes
from playhead.config.file import load
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.project.folder import read_texts
from playhead.project.manifest import LIVE_FILE
from playhead.project.table import create_table, quarantine_table
from playhead.record.recorder import Recorder
from playhead.serve.app import create_app
from playhead.serve.services import Services
from playhead.store.client import AsyncStoreClient
from support.running_store import RunningStore, now_ms

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class PipeProject:
    """One project in a database of its own, and an app that serves it without a socket."""

    def __init__(
        self,
        store: RunningStore,
        folder: Path,
        files: Mapping[str, str],
        *,
        values: Mapping[str, str] | None = None,
        limits: Mapping[str, Any] | None = None,
        tb_local: bool = False,
        base_path: str = "",
    ) -> None:
        self.folder = folder
        self.files = dict(files)
        self.secrets = dict(values or {})
        text = msgspec.json.encode([sorted(self.files.items()), str(folder)])
        self.database = f"p_{hashlib.sha256(text).hexdigest()[:16]}"
        self._store = store
        self.clock = ManualClock(now_ms())
        given = {
            "data.dir": str(folder),
            "server.tb_local": tb_local,
            "server.base_path": base_path,
        }
        plain = load(overrides=given).config
        pipes = msgspec.structs.replace(Pipes(), **{"reload_ms": 0, **(limits or {})})
        self.config: Config = msgspec.structs.replace(plain, pipes=pipes)
        self.tokens = Tokens(folder / "access.db", self.clock)
        self.tokens.ensure_admin(folder)
        self.admin = (folder / ADMIN_FILE).read_text("ascii").strip()
        self._ledger = Ledger(folder / "worker.db")
        self.store = AsyncStoreClient(store.location)
        self.recorder = Recorder(self.store, self.clock)
        services = Services(
            recorder=self.recorder, config=self.config, clock=self.clock, store=self.store, tokens=self.tokens,
            log=MemoryLog(self.config.log, self.clock), ledger=self._ledger,
        )  # fmt: skip
        self.workspaces = services.homes()
        self.app = create_app(services)
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app), base_url="http://playhead"
        )

    async def build(self, rows: Rows | None = None) -> None:
        """Make the tables, fill them, and go live."""
        project = read_texts(self.files)
        assert not [one for one in project.problems if not one.warning], project.problems
        await self.store.command(f"CREATE DATABASE IF NOT EXISTS {self.database}")
        for datasource in project.datasources.values():
            await self.store.command(create_table(datasource, database=self.database))
            await self.store.command(quarantine_table(datasource, database=self.database))
        for name, many in (rows or {}).items():
            lines = msgspec.json.Encoder().encode_lines(many)
            into = f"INSERT INTO {self.database}.{name} FORMAT JSONEachRow"
            await self.store.insert_rows(into, lines)
        self.go_live(self.files)

    def go_live(self, files: Mapping[str, str]) -> None:
        """Write what a build leaves for the server."""
        path = self.folder / LIVE_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        manifest = {
            "version": 1, "database": self.database, "files": dict(files),
            "secrets": self.secrets, "built_at_ms": self.clock.now_ms(),
        }  # fmt: skip
        draft = path.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(manifest))
        draft.replace(path)

    def token(self, *scopes: Scope) -> str:
        """Return the secret of a new token with these scopes; a JWT where parameters are fixed."""
        name = f"token {secrets.token_hex(4)}"
        if any(one.fixed_params for one in scopes):
            end_s = self.clock.now_ms() // 1000 + 600
            return self.tokens.signed.mint(name, scopes, expires_at_s=end_s)[1]
        return self.tokens.create_scoped(name, list(scopes))[1]

    async def ask(
        self, path: str, *, token: str | None = None, method: str = "GET", **options: Any
    ) -> httpx2.Response:
        """Ask with a token, the admin's when none is given; "" sends none."""
        headers = dict(options.pop("headers", {}))
        secret = self.admin if token is None else token
        if secret:
            headers["authorization"] = f"Bearer {secret}"
        return await self.http.request(method, path, headers=headers, **options)

    async def close(self) -> None:
        """Drop the tables and close what it opened."""
        await self.store.command(f"DROP DATABASE IF EXISTS {self.database} SYNC")
        await self.http.aclose()
        await self.workspaces.close()
        await self.store.close()
        self.tokens.close()
        self._ledger.close()
