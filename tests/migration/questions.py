"""What a kept data folder is asked, and what of an answer has to be the same for ever."""

from typing import Any

from support.server import Server

HOUR_MS = 3_600_000
KEEP = {
    "PLAYHEAD_PROCESS__EVENT_RETENTION_DAYS": "0",
    "PLAYHEAD_PROCESS__VIEW_RETENTION_DAYS": "0",
    "PLAYHEAD_LOG__RETENTION_AGE_MS": str(100 * 365 * 24 * HOUR_MS),
    "PLAYHEAD_RECORD__ENABLED": "false",
}
"""Settings under which nothing of it goes with time: it is opened for years."""
_METRICS = ("views", "watch_time", "playing_time", "rebuffer_percentage", "startup_time", "score")
_SQL = {
    "rows of a project": "SELECT title, sum(n) AS n, count() FROM plays GROUP BY title ORDER BY title",
    "its materialized view": "SELECT title, sum(n) AS n FROM plays_by_title GROUP BY title ORDER BY title",
    "a view that was open": "SELECT view_id, events FROM playhead.views FINAL WHERE view_id = 'open'",
    "what the log alone held": "SELECT count() AS n FROM playhead.events WHERE view_id = 'in-the-log'",
    "events": "SELECT door, kind, count() AS n FROM playhead.events GROUP BY ALL ORDER BY ALL",
    "cdn requests": "SELECT cdn, status, path, bytes_out FROM playhead.cdn_requests ORDER BY ALL",
    "frames": "SELECT count() AS n FROM playhead.stream_frames",
    "views": "SELECT view_id, property, status, events, playing_ms, rebuffer_ms, startup_ms, score,"
    " country, watched_to_s, interval_state FROM playhead.views FINAL WHERE view_id != 'open'"
    " ORDER BY ALL",
}


def asked(server: Server, start_ms: int) -> dict[str, Any]:
    """Every answer, by what was asked."""
    span = {"from": start_ms - HOUR_MS, "to": start_ms + HOUR_MS}
    found: dict[str, Any] = {}
    for name in _METRICS:
        for form in ("overall", "breakdown", "timeseries"):
            more = {"group_by": "video_id"} if form == "breakdown" else {}
            path = f"/v1/metrics/{name}/{form}"
            found[f"{form} of {name}"] = server.get(path, **span, **more)["data"]
    found["listed views"] = server.get("/v1/views", **span, limit=100)["data"]
    found["one view"] = server.get("/v1/views/v0")["data"]
    found["an endpoint"] = server.get("/v0/pipes/top.json")["data"]
    found["quarantine"] = server.get("/v1/quarantine", **{"from": start_ms - HOUR_MS})["data"]
    for name, sql in _SQL.items():
        found[f"SQL: {name}"] = server.get("/v0/sql", q=f"{sql} FORMAT JSON")["data"]
    counts = server.status()["events"]
    found["counts"] = {name: counts[name] for name in ("in", "stored", "quarantined")}
    return found


def lost(kept: Any, now: Any, where: str = "") -> list[str]:
    """What of a kept answer is not so any more; fields that came since are no difference."""
    if isinstance(kept, dict) and isinstance(now, dict):
        return [
            line
            for name, value in kept.items()
            for line in (
                lost(value, now[name], f"{where}/{name}")
                if name in now
                else [f"{where}/{name} is gone"]
            )
        ]
    if isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        pairs = enumerate(zip(kept, now, strict=True))
        return [line for at, (one, two) in pairs for line in lost(one, two, f"{where}[{at}]")]
    return [] if kept == now else [f"{where}: {kept!r} is now {now!r}"]
