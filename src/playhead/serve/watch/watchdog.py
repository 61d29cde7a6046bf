"""The watchdog: looks now and then, remembers for how long, tells at `/v1/status` and `/metrics`."""

import asyncio
from collections import deque
from pathlib import Path
from typing import Any, Final

import msgspec

from playhead.errors import PlayheadError
from playhead.observe import gauge, logger, samples
from playhead.serve.pipeline import Pipeline, pipeline_of, restarts_of
from playhead.serve.services import Services
from playhead.serve.watch.alert import SEVERITIES, Alert
from playhead.serve.watch.backups import BackupState, backup_state
from playhead.serve.watch.engine import EngineHealth, engine_health
from playhead.serve.watch.moment import Moment, Tally, tally_of
from playhead.serve.watch.rules import RULES, alerts_of

ENGINE_EVERY_MS: Final = 60_000
LEAST_S: Final = 0.1
STARTING_S: Final = 1.0
"""How often it looks until the store has answered for the first time."""
TALLIES_MAX: Final = 1_000
"""Most moments remembered; those of a longer `watch.window_ms` lie further apart."""
HOUR_MS: Final = 3_600_000
_REQUESTS: Final = "playhead_door_requests_total"
_REFUSALS: Final = "playhead_refusals_total"

_LOG = logger("watchdog")
_ALERT = gauge("alert", "1 while this is out of order.", ("alert", "severity"))
_RESTARTS = gauge("process_restarts", "How often a process was started again.", ("role",))
_MEMORY = gauge("process_memory_bytes", "Memory of a process that is in use.", ("role",))
_STORE_UP = gauge("store_up", "1 while the store answers.")
_LOOKED = gauge("watchdog_looked_at_seconds", "When the watchdog last looked (UTC, Unix time).")
_SILENT = gauge("worker_silent_ms", "Time since the worker was heard of while events wait, else 0.")


class Watchdog:
    """Looks at everything once every `watch.every_ms`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        config = services.config
        watch = config.watch
        self._apart_ms = max(1, watch.every_ms, watch.window_ms // TALLIES_MAX)
        self._tallies: deque[Tally] = deque(maxlen=max(2, watch.window_ms // self._apart_ms))
        self._off_since_ms: dict[str, int] = {}
        self._found: dict[str, Alert] = {}
        self._engine: EngineHealth | None = None
        self._store_answers = False
        self._engine_at_ms = -ENGINE_EVERY_MS
        for name in RULES:
            for severity in SEVERITIES:
                _ALERT.labels(name, severity).set(0)

    @property
    def engine(self) -> EngineHealth | None:
        """Return what the engine last said of itself; None before it did."""
        return self._engine

    def alerts(self) -> list[dict[str, Any]]:
        """Return what is out of order, critical first."""
        return [alert.told() for alert in self._found.values()]

    def measure(self, processes: dict[str, Any], pipeline: Pipeline) -> None:
        """Set the gauges of processes, store and worker, when somebody reads them."""
        for role, one in processes.items():
            _RESTARTS.labels(role).set(one["restarts"])
            _MEMORY.labels(role).set(_resident_bytes(one["pid"]))
        _STORE_UP.set(self._store_answers)
        is_waiting = bool(pipeline.pending_records and pipeline.heard_at_ms)
        _SILENT.set(max(0, pipeline.now_ms - pipeline.heard_at_ms) if is_waiting else 0)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 (who watches must not be the first to fall)
                _LOG.error("look_failed", reason=repr(error))
            every_s = max(LEAST_S, self._services.config.watch.every_ms / 1000)
            await asyncio.sleep(every_s if self._engine else min(every_s, STARTING_S))

    async def look(self) -> None:
        """Look once."""
        services = self._services
        answers = await services.store.ping()
        pipeline = await asyncio.to_thread(pipeline_of, services)
        if answers:
            await self._ask_engine(pipeline.now_ms)
        self._store_answers = answers
        moment = self._moment(pipeline, await backup_state(services))
        then = self._tallies[0] if self._tallies else moment.tally
        passed_ms = moment.tally.at_ms - (self._tallies[-1].at_ms if self._tallies else 0)
        if not pipeline.reason and not 0 <= passed_ms < self._apart_ms:
            self._tallies.append(moment.tally)
        self._tell(alerts_of(moment, then, services.config), pipeline.now_ms)

    async def _ask_engine(self, now_ms: int) -> None:
        if now_ms - self._engine_at_ms < ENGINE_EVERY_MS:
            return
        try:
            self._engine = await engine_health(self._services.store)
            self._engine_at_ms = now_ms
        except PlayheadError as error:
            _LOG.info("engine_not_asked", code=error.code, reason=error.message)

    def _moment(self, pipeline: Pipeline, backup: BackupState | None) -> Moment:
        services, now_ms = self._services, pipeline.now_ms
        pressed = restarts_of(services.config.data_dir, since_ms=now_ms - HOUR_MS)
        return Moment(
            pipeline=pipeline,
            tally=tally_of(pipeline, _counted(_REQUESTS, "status"), _counted(_REFUSALS, "code")),
            started_at_ms=services.started_at_ms,
            outlook=services.space_watch().outlook(),
            store_silent_ms=self._lasting("store", now_ms, is_off=not self._store_answers),
            unbalanced_ms=self._lasting(
                "books", now_ms, is_off=not (pipeline.equation_holds or pipeline.reason)
            ),
            unread_ms=self._lasting("log", now_ms, is_off=bool(pipeline.reason)),
            engine=self._engine,
            backup=backup,
            restarted_at_ms=pressed,
        )

    def _lasting(self, what: str, now_ms: int, *, is_off: bool) -> int:
        """Return for how long something is off: 1 ms at first, 0 when it is not."""
        if not is_off:
            self._off_since_ms.pop(what, None)
            return 0
        return max(1, now_ms - self._off_since_ms.setdefault(what, now_ms))

    def _tell(self, found: list[Alert], now_ms: int) -> None:
        before, self._found = self._found, {}
        for alert in found:
            known = before.get(alert.id)
            since_ms = alert.since_ms or (known.since_ms if known else now_ms)
            self._found[alert.id] = msgspec.structs.replace(alert, since_ms=since_ms)
            if known is None or known.severity != alert.severity:
                _LOG.warning(
                    "alert_raised", alert=alert.id, severity=alert.severity, said=alert.sentence
                )
        for name in before.keys() - self._found.keys():
            _LOG.info("alert_ended", alert=name)
        _LOOKED.set(now_ms / 1000)
        for name in RULES:
            is_now = self._found[name].severity if name in self._found else ""
            for severity in SEVERITIES:
                _ALERT.labels(name, severity).set(severity == is_now)


def _counted(name: str, label: str) -> dict[str, int]:
    """Return a counter of this process, summed by one of its labels."""
    found: dict[str, int] = {}
    for labels, value in samples(name):
        found[labels[label]] = found.get(labels[label], 0) + int(value)
    return found


def _resident_bytes(pid: int | None) -> int:
    """Return the memory of a process; 0 where the system does not tell (it does on Linux)."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("VmRSS:")), "")
    return int(line.split()[1]) * 1024 if line else 0
