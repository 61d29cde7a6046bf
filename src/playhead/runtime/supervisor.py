"""`playhead up`: three processes, joined by the log and the store, each killable at any time.

The supervisor holds the listening socket: while `web` restarts, connections wait in its backlog
instead of being refused.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import IO

import msgspec

from playhead.access import DATABASE_FILE, Tokens
from playhead.backup.unfinished import check_started
from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import DataDirBusy, StartupError
from playhead.observe import logger
from playhead.runtime.listening import listen
from playhead.runtime.release import check_folder, write_release

STOP_ORDER = ("viewers", "web", "worker", "store")
STOP_EACH_S = {"viewers": 1.0, "web": 3.0, "worker": 3.0, "store": 2.0}
RESTART_FIRST_S = 0.1
RESTART_MAX_S = 5.0
HEALTHY_AFTER_S = 5.0
"""One that ran this long starts again at once; only what dies right away waits longer each time."""
RESTARTS_KEPT = 100

ADDRESS_FILE = "address"
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 (asked, not bound)
_LOG = logger("supervisor")


class Child(msgspec.Struct):
    """One supervised process."""

    role: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    started_at_ms: int = 0
    restarts: int = 0
    restarted_at_ms: list[int] = []
    """UTC; the last `RESTARTS_KEPT`, for the watchdog."""
    wait_s: float = RESTART_FIRST_S
    start_at_s: float = 0.0


class Supervisor:
    """Starts the roles, restarts what dies, stops all in order."""

    def __init__(self, config: Config, arguments: Sequence[str], clock: Clock) -> None:
        """Prepare.

        Args:
            config: The settings; host and port are bound here.
            arguments: Command-line options that every child gets, so that it sees the same settings.
            clock: The clock.
        """
        self._config = config
        self._arguments = list(arguments)
        self._clock = clock
        self._children: dict[str, Child] = {}
        self._stopping = False
        self._lock: IO[str] | None = None
        self._socket: socket.socket | None = None
        self._lifeline_read, self._lifeline_write = os.pipe()

    @property
    def port(self) -> int:
        """The port that is listened on (the real one when 0 was asked for)."""
        return int(self._socket.getsockname()[1]) if self._socket else self._config.server.port

    @property
    def stopping(self) -> bool:
        """Whether a signal or `stop` asked for the end."""
        return self._stopping

    def start(self) -> None:
        """Take the data folder and the port, start store, worker and web.

        Raises:
            DataDirBusy: Another Playhead uses the folder.
            SchemaTooNew: A newer release wrote the folder; it stays as it is.
            StartupError: The folder or the port cannot be had.
        """
        check_folder(self._config.data_dir)
        self._take_data_dir()
        self._socket = listen(self._config.server.host, self._config.server.port)
        write_release(self._config.data_dir, self._clock)
        self._socket.set_inheritable(True)
        self._tell_address()
        tokens = Tokens(self._config.data_dir / DATABASE_FILE, self._clock)
        tokens.ensure_admin(self._config.data_dir)
        tokens.close()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        descriptor = ["--listen-fd", str(self._socket.fileno())] if self._socket else []
        for role, more in (("store", []), ("worker", []), ("web", descriptor)):
            self.add(role, ["up", "--role", role, *self._arguments, *more])

    def add(self, role: str, arguments: Sequence[str]) -> None:
        """Start and watch one more `playhead` process."""
        command = [sys.executable, "-m", "playhead", *arguments]
        command += ["--lifeline-fd", str(self._lifeline_read)]
        self._children[role] = Child(role=role, command=command)
        self._spawn(self._children[role])

    def poll(self) -> None:
        """Look after the children once: restart, with growing pauses, those that died."""
        now_s = self._clock.monotonic_s()
        for child in self._children.values():
            if child.process is not None and child.process.poll() is not None:
                self._died(child, now_s)
            elif child.process is None and now_s >= child.start_at_s and not self._stopping:
                child.restarts += 1
                kept = child.restarted_at_ms[1 - RESTARTS_KEPT :]
                child.restarted_at_ms = [*kept, self._clock.now_ms()]
                self._spawn(child)

    def stop(self) -> None:
        """Stop all, doors first, so that everything acknowledged is flushed behind them."""
        self._stopping = True
        for role in STOP_ORDER:
            child = self._children.get(role)
            if child is not None and child.process is not None:
                self._end(child)
        if self._socket is not None:
            self._socket.close()
        os.close(self._lifeline_write)

    def _end(self, child: Child) -> None:
        process = child.process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_EACH_S.get(child.role, 2.0))
        except subprocess.TimeoutExpired:
            _LOG.error("process_killed", role=child.role, reason="it did not end in time")
            process.kill()
            process.wait()

    def _died(self, child: Child, now_s: float) -> None:
        code = child.process.returncode if child.process else 0
        child.process = None
        if self._stopping:
            return
        if now_s - child.started_s > HEALTHY_AFTER_S:
            child.wait_s = RESTART_FIRST_S
        child.start_at_s = now_s + child.wait_s
        _LOG.warning("process_died", role=child.role, code=code, restart_in_s=child.wait_s)
        child.wait_s = min(child.wait_s * 2, RESTART_MAX_S)
        self._publish()

    def _spawn(self, child: Child) -> None:
        fds = [self._lifeline_read]
        if self._socket is not None:
            fds.append(self._socket.fileno())
        child.process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            child.command, pass_fds=fds, start_new_session=True, stdin=subprocess.DEVNULL
        )
        child.started_s = self._clock.monotonic_s()
        child.started_at_ms = self._clock.now_ms()
        self._publish()

    def _publish(self) -> None:
        """Write who runs where `/v1/status` finds it."""
        state = {
            child.role: {
                "pid": child.process.pid if child.process else None,
                "started_at_ms": child.started_at_ms,
                "restarts": child.restarts,
                "restarted_at_ms": child.restarted_at_ms,
            }
            for child in self._children.values()
        }
        path = self._config.data_dir / "run" / "processes.json"
        draft = path.with_suffix(".tmp")
        try:
            draft.write_text(json.dumps(state))
            draft.replace(path)
        except OSError as error:
            _LOG.warning("process_list_unwritten", reason=str(error))

    def _tell_address(self) -> None:
        """Write where the server listens, for commands that are given its data folder."""
        host = self._config.server.host
        host = _LOCAL.get(host, f"[{host}]" if ":" in host else host)
        address = f"http://{host}:{self.port}{self._config.server.base_path}"
        try:
            (self._config.data_dir / "run" / ADDRESS_FILE).write_text(address + "\n")
        except OSError as error:
            _LOG.warning("address_unwritten", reason=str(error))

    def _take_data_dir(self) -> None:
        check_started(self._config.data_dir)
        run = self._config.data_dir / "run"
        try:
            run.mkdir(parents=True, exist_ok=True)
            self._config.data_dir.chmod(0o700)
            self._lock = (run / "supervisor.lock").open("w")
        except OSError as error:
            raise StartupError(
                f"The data folder {self._config.data_dir} cannot be written: {error.strerror}."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataDirBusy(
                f"Another Playhead already uses the data folder {self._config.data_dir}."
            ) from error

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        _LOG.info("stop_requested", signal=signal.Signals(number).name)
        self._stopping = True
