"""The web process: doors and answers on one port, and the only writer of the log."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
import uvloop

from playhead.access import DATABASE_FILE, Tokens
from playhead.clock import Clock, SystemClock
from playhead.collect.doors import doors
from playhead.collect.entrance import Promises
from playhead.collect.idempotency import DATABASE_FILE as KEYS_FILE
from playhead.collect.idempotency import Keys
from playhead.collect.refusals import Refusals
from playhead.collect.retry import Retry
from playhead.config import Config
from playhead.errors import LogError, PlayheadError, Unavailable
from playhead.log.appender import Appender
from playhead.log.offsets import Ledger
from playhead.log.progress import Progress
from playhead.log.segments import SegmentLog
from playhead.observe import logger
from playhead.runtime.default_project import ensure_project
from playhead.runtime.listening import listen
from playhead.runtime.location import location_of
from playhead.serve.app import create_app
from playhead.serve.services import Services
from playhead.store.client import AsyncStoreClient

TRIM_EVERY_S = 30.0
KEEP_ALIVE_S = 75
SWITCH_INTERVAL_S = 0.0005
"""The thread that commits needs Python's lock a few times a commit; by default it waits 5 ms for it."""
GC_THRESHOLDS = (100_000, 20, 100)
"""Decoded batches hold no cycles; by default the collector would look at them every few requests."""

_LOG = logger("web")


class _Server(uvicorn.Server):
    """Ends what has no end of its own before it waits for answers to be complete."""

    def __init__(self, config: uvicorn.Config, stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop = stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, end the streams, wait for the other answers."""
        self._stop()
        await super().shutdown(sockets)


def run(config: Config, listen_fd: int | None) -> int:
    """Run the doors and the answers until told to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_web(config, listen_fd))


async def _web(config: Config, listen_fd: int | None) -> int:
    clock: Clock = SystemClock()
    ledger = Ledger(config.data_dir / "worker.db", writable=False)
    log = SegmentLog(
        config.data_dir / "log", config.log, clock, writable=True, resume_at=ledger.position()
    )
    began_at = _end_of(log)
    appender = Appender(log, config.log, clock)
    tokens = Tokens(config.data_dir / DATABASE_FILE, clock)
    tokens.ensure_admin(config.data_dir)
    keys = Keys(config.data_dir / KEYS_FILE, log, config.collect, clock)
    _settle(keys)
    store = AsyncStoreClient(location_of(config))
    beside = [
        asyncio.create_task(_trim(log, ledger)),
        asyncio.create_task(ensure_project(config, store, clock)),
    ]
    try:
        refusals = Refusals()
        progress = Progress(ledger.position, wait_ms=config.collect.wait_ms)
        promises = Promises(keys, progress.stored)
        paths = doors(config, appender.append, tokens, clock, refusals, promises)
        services = Services(
            config=config,
            clock=clock,
            store=store,
            tokens=tokens,
            log=log,
            ledger=ledger,
            refusals=refusals,
            retry=Retry(paths, appender.append, began_at=began_at),
            started_at_ms=clock.now_ms(),
        )
        application = create_app(services, paths)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        server = _Server(
            uvicorn.Config(
                application,
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,  # addresses and ?token= would be in it
                proxy_headers=False,  # the doors have their own list of trusted proxies
                log_level="warning",
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=2,
                root_path=config.server.base_path,
            ),
            application.stop,
        )
        await server.serve(sockets=[_listener(config, listen_fd)])
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await appender.close()
        await store.close()
        keys.close()
        log.close()
        ledger.close()
        tokens.close()
    return 0


def _end_of(log: SegmentLog) -> int | None:
    """Return the log's end, None while the disk is away: the doors start all the same."""
    try:
        return log.bounds().next
    except (PlayheadError, OSError):
        return None


def _settle(keys: Keys) -> None:
    """Close what a kill left open; where that is not possible now, each key is settled when used."""
    try:
        keys.settle()
    except (Unavailable, LogError) as error:
        _LOG.error("idempotency_keys_not_settled", reason=error.message)


def _listener(config: Config, listen_fd: int | None) -> socket.socket:
    """Return the supervisor's socket, or one of our own where there is no supervisor.

    Made from the descriptor, so that it knows to be TCP: only then does the loop switch Nagle's
    algorithm off, which otherwise holds every small answer back for 40 ms.
    """
    if listen_fd is not None:
        return socket.socket(fileno=listen_fd)
    return listen(config.server.host, config.server.port)


async def _trim(log: SegmentLog, ledger: Ledger) -> None:
    """Let old segments go, behind the worker's position and within the limits."""
    while True:
        await asyncio.sleep(TRIM_EVERY_S)
        try:
            position = await asyncio.to_thread(ledger.position)
            removed = await asyncio.to_thread(log.trim, position)
        except (PlayheadError, OSError) as error:
            _LOG.warning("log_not_trimmed", reason=str(error))
        else:
            if removed:
                _LOG.info("log_trimmed", segments=removed)
