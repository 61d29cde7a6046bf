"""The store process: opens the folder, migrates, listens on its socket until it is told to stop."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn
import uvloop

from playhead.config import Config
from playhead.errors import StartupError
from playhead.observe import logger
from playhead.store.engine import Engine
from playhead.store.http import StoreApp
from playhead.store.location import embedded
from playhead.store.result import Rows, rows_of
from playhead.store.schema import days_kept, migrate, set_retention
from playhead.store.session import Session
from playhead.store.statement import Lane

INSERT_GRACE_S: Final = 2.0
"""How long inserts and commands under way may go on after SIGTERM; reads end at once."""
KEEP_ALIVE_S: Final = 60
"""Longer than any client keeps an idle connection, so that none is closed under a request."""
_LOG = logger("store")


class _Statements:
    """Statements of the start, given to the engine directly: nobody listens yet."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._count = 0

    def command(self, sql: str) -> None:
        """Run a statement without a result."""
        self._engine.run(self._session(read_only=False), sql)

    def rows(self, sql: str) -> Rows:
        """Run a query."""
        cursor = self._engine.read(self._session(read_only=True), sql, "JSONCompact", {})
        cursor.close()
        return rows_of(cursor.first)

    def _session(self, *, read_only: bool) -> Session:
        self._count += 1
        return Session(query_id=f"start-{self._count}", read_only=read_only)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def serve(config: Config) -> int:
    """Run the store process until SIGTERM or SIGINT; return the exit code.

    Ready when `GET /ping` on the socket answers "Ok.": the socket appears only after migration.

    Raises:
        DataDirBusy: Another process holds the data folder.
        SchemaTooNew: The folder was written by a newer release.
        StartupError: The folder cannot be opened.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = Engine(config.data_dir / "store", config.store)
    try:
        statements = _Statements(engine)
        migrate(statements)
        set_retention(statements, days_kept(config))
        path = Path(embedded(config.data_dir).socket)
        with _listening(path) as listener:
            _LOG.info("store_started", socket=str(path))
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_run(engine, config, listener))
    finally:
        engine.close()
    _LOG.info("store_stopped")
    return 0


async def _run(engine: Engine, config: Config, listener: socket.socket) -> None:
    app = StoreApp(engine, config)
    server = _Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=100,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, config.server.shutdown_ms // 1000 - 1),
        )
    )
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(told.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    _exit_at_last(config.server.shutdown_ms / 1000)
    app.stop(lanes=frozenset({Lane.READ}))
    server.should_exit = True
    await asyncio.wait({serving}, timeout=INSERT_GRACE_S)
    app.stop()
    await serving


def _exit_at_last(seconds: float) -> None:
    """End the process if a statement withstands its kill; inserts are repeated by their token."""
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()


@contextmanager
def _listening(path: Path) -> Generator[socket.socket, None, None]:
    """Yield a socket only this user can open; what a killed process left is replaced.

    The folder's lock is held, so a socket file that is there belongs to nobody.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.geteuid():
        raise StartupError(
            f"The folder {path.parent} belongs to another user, who could read what passes there.",
            hint="Remove it, or choose a data folder with a shorter path.",
        )
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mask = os.umask(0o177)
        try:
            listener.bind(str(fresh))
        finally:
            os.umask(mask)
        listener.listen(256)
        # Renamed only now: whoever finds the socket can connect.
        fresh.rename(path)
        yield listener
    finally:
        listener.close()
        path.unlink(missing_ok=True)
