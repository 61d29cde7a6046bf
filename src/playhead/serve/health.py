"""Is it alive, is it ready, how is it doing: /healthz, /readyz, /metrics, /v1/status."""

import asyncio
import shutil
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from playhead import __version__
from playhead.observe import REGISTRY, gauge
from playhead.query.pipes.live import LiveProject
from playhead.query.question import check_names
from playhead.query.span import iso
from playhead.serve.admission import Admission, is_whole
from playhead.serve.answer import answer, values_of
from playhead.serve.pipeline import Pipeline, folder_bytes, pipeline_of, processes_of
from playhead.serve.seen import Seen
from playhead.serve.services import Services
from playhead.serve.watch.rules import WORKER_SILENT_MS
from playhead.serve.watch.watchdog import Watchdog

_SIZES_KEPT_MS = 10_000
"""Walking the folders of a large store takes a while; their size is looked up this seldom."""

_LAG = gauge("pipeline_lag_records", "Records of the log that are not in the store yet.")
_PENDING = gauge("pipeline_pending_events", "Events of the log that are not in the store yet.")
_LAG_MS = gauge("pipeline_freshness_ms", "Age of the newest stored record while some wait, else 0.")
_IN = gauge("pipeline_in_events", "Events accepted since the data folder was made.")
_OUT = gauge("pipeline_events", "Events by what became of them.", ("outcome",))
_EQUAL = gauge("pipeline_equation_holds", "1 when every accepted event is accounted for.")
_FREE = gauge("disk_free_bytes", "Free space of the data folder's disk.")


class Health:
    """What the server says about itself."""

    def __init__(
        self,
        services: Services,
        admission: Admission,
        project: LiveProject,
        watchdog: Watchdog,
    ) -> None:
        self._project = project
        self._watchdog = watchdog
        self._seen = Seen(services.config)
        self._services = services
        self._admission = admission
        self._sizes: tuple[int, dict[str, int]] = (0, {})

    async def alive(self, _: Request) -> Response:
        """`GET /healthz`: 200 while the process answers at all."""
        return answer({"status": "ok"}, {"version": __version__})

    async def ready(self, _: Request) -> Response:
        """`GET /readyz`: 200 when events are taken and questions answered, else 503 with reasons."""
        reasons = await self._unready()
        data = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        response = answer(data, {"version": __version__})
        if reasons:
            response.status_code = 503
            response.headers["retry-after"] = "1"
        return response

    async def prometheus(self, _: Request) -> Response:
        """`GET /metrics`: counters of this process and of the pipeline, as Prometheus text."""
        pipeline = await asyncio.to_thread(pipeline_of, self._services)
        _LAG.set(pipeline.pending_records)
        _PENDING.set(pipeline.pending_events)
        _LAG_MS.set(pipeline.freshness_ms or 0)
        _IN.set(pipeline.in_events)
        _EQUAL.set(pipeline.equation_holds)
        _FREE.set(self._free_bytes())
        for outcome, count in pipeline.counts.items():
            _OUT.labels(outcome).set(count)
        processes = processes_of(self._services.config.data_dir, pipeline.now_ms)
        self._watchdog.measure(processes, pipeline)
        return Response(generate_latest(REGISTRY), headers={"content-type": CONTENT_TYPE_LATEST})

    async def status(self, request: Request) -> Response:
        """`GET /v1/status`: lag, counts and whether they add up; alerts, disk, processes and more for admins."""
        grant = self._admission.reader(request)
        check_names(values_of(request), frozenset(), frozenset())
        pipeline = await asyncio.to_thread(pipeline_of, self._services)
        data: dict[str, Any] = {"version": __version__, "lag": _lag(pipeline)}
        if is_whole(grant):
            data |= {
                "events": _events(pipeline),
                "worker": _worker(pipeline),
                "disk": await asyncio.to_thread(self._disk, pipeline.now_ms),
                "processes": processes_of(self._services.config.data_dir, pipeline.now_ms),
                "refusals": self._services.recent_refusals(),
                "project": await self._project.state(),
                "records": self._records(),
                "alerts": self._watchdog.alerts(),
                "store": self._watchdog.engine.told() if self._watchdog.engine else None,
                "seen": self._seen.of(request),
            }
        newest = pipeline.newest_received_at
        meta = {
            "now": iso(pipeline.now_ms),
            "freshness_ms": pipeline.freshness_ms,
            "newest_event_at": iso(newest) if newest else None,
        }
        return answer(data, meta)

    def _records(self) -> dict[str, int]:
        """Return what waits for the service tables, and what was dropped since the start."""
        recorder = self._services.recorder
        if recorder is None:
            return {"pending": 0, "dropped": 0}
        return {"pending": recorder.pending(), "dropped": recorder.dropped}

    async def _unready(self) -> list[str]:
        reasons = []
        if not await self._services.store.ping():
            reasons.append("The store does not answer.")
        floor = self._services.config.log.free_space_floor_bytes
        if self._free_bytes() < floor:
            reasons.append("The disk is below log.free_space_floor_bytes; nothing is taken.")
        pipeline = await asyncio.to_thread(pipeline_of, self._services)
        if pipeline.reason:
            reasons.append(pipeline.reason)
        silent = pipeline.now_ms - pipeline.heard_at_ms > WORKER_SILENT_MS
        if not pipeline.heard_at_ms:
            reasons.append("The worker has not started yet.")
        elif pipeline.pending_records and silent:
            reasons.append("The worker has not been heard of; events wait in the log.")
        return reasons

    def _free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self._services.config.data_dir).free
        except OSError:
            return 0

    def _disk(self, now_ms: int) -> dict[str, Any]:
        taken_at, sizes = self._sizes
        if not sizes or now_ms - taken_at > _SIZES_KEPT_MS:
            folder = self._services.config.data_dir
            sizes = {
                "log_bytes": folder_bytes(folder / "log"),
                "store_bytes": folder_bytes(folder / "store"),
            }
            self._sizes = (now_ms, sizes)
        outlook = self._services.space_watch().outlook()
        return {
            "free_bytes": outlook.free_bytes,
            "floor_bytes": outlook.floor_bytes,
            "warning_bytes": outlook.warning_bytes,
            "state": outlook.state,
            "full_in_days": outlook.full_in_days,
            **sizes,
        }


def _lag(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "records": pipeline.pending_records,
        "events": pipeline.pending_events,
        "ms": pipeline.freshness_ms,
        "reason": pipeline.reason or None,
    }


def _events(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "in": pipeline.in_events,
        "stored": pipeline.counts.get("stored", 0),
        "quarantined": pipeline.counts.get("quarantined", 0),
        "dropped": pipeline.dropped,
        "duplicates": pipeline.counts.get("duplicates", 0),
        "pending": pipeline.pending_events,
        "equation_holds": pipeline.equation_holds,
    }


def _worker(pipeline: Pipeline) -> dict[str, Any]:
    heard, as_of = pipeline.heard_at_ms, pipeline.as_of_ms
    return {
        "position": pipeline.position,
        "next_offset": pipeline.next_offset,
        "heard_at": iso(heard) if heard else None,
        "as_of": iso(as_of) if as_of else None,
        "open_views": int(pipeline.notes.get("open_views", "0") or 0),
        "capped": _capped(pipeline.notes.get("capped", "")),
        "last_error": pipeline.notes.get("last_error") or None,
        "waiting": pipeline.notes.get("rows_wait") or None,
    }


def _capped(text: str) -> dict[str, int]:
    """Return by dimension how often a value beyond its cap was counted as `other`."""
    try:
        return msgspec.json.decode(text, type=dict[str, int])
    except msgspec.DecodeError:
        return {}
