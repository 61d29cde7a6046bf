"""The web process: doors and answers on one port, and the only writer of the log."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
import uvloop

from playhead.backup.draft import sweep as sweep_backups
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.jobs.deployments import adopt
from playhead.log.offsets import Ledger
from playhead.log.segments import SegmentLog
from playhead.observe import logger
from playhead.runtime.connections import Connections
from playhead.runtime.default_project import ensure_project
from playhead.runtime.jobs import backups_of, tidy
from playhead.runtime.listening import listen
from playhead.runtime.parts import Parts, recording, services_of, work_of
from playhead.runtime.protocol import ServerConfig
from playhead.serve.app import Port, create_app
from playhead.serve.workspaces import Workspaces

TRIM_EVERY_S = 30.0
SWEEP_EVERY_S = 30.0
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
    parts = Parts(config, SystemClock())
    recorder, watching = recording(parts)
    beside = [
        *watching,
        asyncio.create_task(_trim(parts.log, parts.ledger)),
        asyncio.create_task(ensure_project(config, parts.store, parts.clock)),
        asyncio.create_task(_sweep(parts.workspaces)),
    ]
    runner, schedules = work_of(parts, recorder)
    try:
        services, paths = services_of(parts, recorder, runner, schedules)
        application = create_app(services, paths)
        beside.append(asyncio.create_task(application.make_ready()))
        beside.append(asyncio.create_task(application.watch()))
        beside.append(asyncio.create_task(services.space_watch().run()))
        beside.append(asyncio.create_task(tidy(runner)))
        beside.append(asyncio.create_task(schedules.run()))
        beside.append(asyncio.create_task(backups_of(runner).run()))
        await asyncio.to_thread(sweep_backups, config.data_dir)
        await adopt(runner, ["", *parts.workspaces.ids()])
        runner.start()
        await _serve(config, application, listen_fd)
    finally:
        await runner.stop()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await parts.close()
    return 0


async def _serve(config: Config, application: Port, listen_fd: int | None) -> None:
    """Serve until told to stop."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    server = _Server(
        ServerConfig(
            application,
            connections=Connections(config),
            limits=config.limits,
            ws="none",
            lifespan="off",
            access_log=False,  # addresses and ?token= would be in it
            proxy_headers=False,  # the doors have their own list of trusted proxies
            log_level="error",  # of strangers' broken requests there is a counter, not a line each
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=2,
            root_path=config.server.base_path,
        ),
        application.stop,
    )
    await server.serve(sockets=[_listener(config, listen_fd)])


def _listener(config: Config, listen_fd: int | None) -> socket.socket:
    """Return the supervisor's socket, or one of our own where there is no supervisor.

    Made from the descriptor, so that it knows to be TCP: only then does the loop switch Nagle's
    algorithm off, which otherwise holds every small answer back for 40 ms.
    """
    if listen_fd is not None:
        return socket.socket(fileno=listen_fd)
    return listen(config.server.host, config.server.port)


async def _sweep(workspaces: Workspaces) -> None:
    """Let go of the workspaces of test runs that nobody uses any more."""
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        try:
            await workspaces.sweep()
        except (PlayheadError, OSError) as error:
            _LOG.warning("workspaces_not_swept", reason=str(error))


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
