"""The answers over a real store process: rows go in, requests are answered without a socket."""

import contextlib
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from playhead.access import Tokens
from playhead.clock import ManualClock, SystemClock
from playhead.config import Config, Query
from playhead.config.file import load
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.model import view
from playhead.query.span import iso
from playhead.serve.app import create_app
from playhead.serve.services import Services
from playhead.store.client import AsyncStoreClient
from support.running_store import RunningStore

NOW_MS = SystemClock().now_ms() // 3_600_000 * 3_600_000
"""A full hour today: rows of older days fall to the retention, whatever the test's clock says."""


def view_row(**given: Any) -> dict[str, Any]:
    """Return the fields of a view: one that played a minute, ten minutes ago, unless told otherwise.

    `intervals` may be given as (state, from ms, to ms[, kbps]) tuples.
    """
    start = given.get("started_at", NOW_MS - 600_000)
    intervals = given.pop("intervals", [("playing", start, start + 60_000)])
    end = max([start, *(one[2] for one in intervals)])
    row: dict[str, Any] = dict.fromkeys(view.COLUMNS)
    for name, kind in view.ViewRow.__annotations__.items():
        row[name] = {str: "", int: 0, float: 0.0, bool: False}.get(kind)
    row |= {
        "view_id": uuid.uuid4().hex, "property": "default", "viewer_id": "u1", "custom": {},
        "started_at": start, "ended_at": end, "last_event_at": end, "live_until": end,
        "received_at": end, "status": "ended", "final": True, "clean_end": True,
        "watched_from_s": [], "watched_to_s": [], "fold_version": 1, "score_version": 1,
        "interval_state": [one[0] for one in intervals],
        "interval_from": [one[1] for one in intervals],
        "interval_to": [one[2] for one in intervals],
        "interval_position_from_s": [0.0 for _ in intervals],
        "interval_position_to_s": [0.0 for _ in intervals],
        "interval_bitrate_kbps": [one[3] if len(one) > 3 else 0 for one in intervals],
        "interval_height": [0 for _ in intervals],
        "interval_cdn": ["" for _ in intervals],
    } | given  # fmt: skip
    row.setdefault("first_seen_day", "")
    row["first_seen_day"] = row["first_seen_day"] or iso(row["started_at"])[:10]
    row["view_key"] = row["view_key"] or f"{row['property']}/{row['view_id']}"
    row["version"] = row["version"] or view.version_of(end, 1)
    return row


def insert_views(store: RunningStore, *rows: dict[str, Any]) -> None:
    """Store view rows as the worker does."""
    lines = msgspec.json.Encoder().encode_lines([[r[n] for n in view.COLUMNS] for r in rows])
    store.client.insert("views", view.COLUMNS, lines, token=uuid.uuid4().hex)


class Answering:
    """An app with its client and tokens; the clock stands at `NOW_MS` until moved."""

    def __init__(self, store: RunningStore, folder: Path, **limits: Any) -> None:
        self.clock = ManualClock(NOW_MS)
        plain = load(overrides={"data.dir": str(store.data)}).config
        query = msgspec.structs.replace(Query(), cache_ms=0, cache_open_ms=0, **limits)
        self.config: Config = msgspec.structs.replace(plain, query=query)
        self.tokens = Tokens(folder / "access.db", self.clock)
        self.log = MemoryLog(self.config.log, self.clock)
        self.ledger = Ledger(folder / "worker.db")
        self.store = AsyncStoreClient(store.location)
        services = Services(
            config=self.config, clock=self.clock, store=self.store, tokens=self.tokens,
            log=self.log, ledger=self.ledger,
        )  # fmt: skip
        self.app = create_app(services)
        self.admin = self.token("admin")
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app), base_url="http://playhead"
        )

    def token(self, kind: str, property_: str | None = None) -> str:
        """Return the secret of a new token."""
        return self.tokens.create(kind, "", property_)[1]

    async def get(self, path: str, *, token: str | None = None, **params: Any) -> httpx2.Response:
        """Ask with a token, the admin's when none is given; `from_` stands for `from`."""
        named = {name.rstrip("_"): value for name, value in params.items()}
        headers = {"authorization": f"Bearer {self.admin if token is None else token}"}
        return await self.http.get(path, params=named, headers=headers)

    async def close(self) -> None:
        """Close what it opened."""
        await self.http.aclose()
        await self.store.close()
        self.tokens.close()
        self.ledger.close()

    async def data(self, path: str, **params: Any) -> Any:
        """Return the data of an answer that must succeed."""
        response = await self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()["data"]


@contextlib.asynccontextmanager
async def answering(
    store: RunningStore, folder: Path, *, emptied: bool = True, **limits: Any
) -> AsyncGenerator[Answering, None]:
    """Yield an app over the store, emptied of views unless said otherwise."""
    if emptied:
        store.client.command("TRUNCATE TABLE playhead.views")
    app = Answering(store, folder, **limits)
    try:
        yield app
    finally:
        await app.close()
