"""How the running server does, by its own word: the alerts of its watchdog, engine, space, backups."""

from collections.abc import Callable
from typing import Any, Final

from playhead.doctor.calling import Calls, moment_ms
from playhead.doctor.finding import Findings
from playhead.serve.space.rules import size
from playhead.serve.watch.alert import spoken
from playhead.serve.watch.engine import MINIMUM

SILENT: Final = "store_unreachable"
_OF_STORE: Final = frozenset({"views", "parts"})
"""Checks about which a store that does not answer says nothing."""
Status = dict[str, Any]


def look_at_pipeline(status: Status, findings: Findings) -> None:
    """Note each alert, and what is well where there is none.

    Args:
        status: `data` of `/v1/status`, as the admin token sees it.
        findings: Where it is noted.
    """
    if "alerts" not in status:
        findings.skip("pipeline", "this server has no watchdog")
        return
    alerts = {str(one["id"]): one for one in status["alerts"]}
    is_old = SILENT in alerts
    for check, ids, fine in _CHECKS:
        raised = [alerts.pop(name) for name in ids if name in alerts]
        for alert in raised:
            _note(check, alert, findings)
        if not raised and is_old and check in _OF_STORE:
            findings.skip(check, "the store does not answer")
        elif not raised:
            findings.ok(check, fine(status))
    for name, alert in alerts.items():
        _note(name, alert, findings)


def look_at_engine(status: Status, findings: Findings) -> None:
    """Look at the release of the store's engine and how it does."""
    engine = status.get("store")
    if not engine:
        findings.skip("engine", "the store has not told yet how it does")
        return
    version = str(engine["version"])
    least = ".".join(map(str, MINIMUM))
    if _numbers(version) < MINIMUM:
        found = f"The store is ClickHouse {version}; queries need {least} or newer."
        findings.bad("engine", found, "Upgrade the server that store.url names.")
        return
    said = f"ClickHouse {version} (at least {least}), {engine['parts']:,} parts"
    findings.ok(
        "engine", f"{said}, {engine['merges']} merges and {engine['mutations']} changes run."
    )


def look_at_backups(calls: Calls, findings: Findings) -> None:
    """Note how old the newest backup is; that one failed or is overdue, an alert says."""
    answer = calls.get("/v1/backups", with_token=True)
    meta = answer.meta()
    if answer.status != 200 or not meta.get("place"):
        findings.skip("backups", "none are configured: see [backup] in the settings")
        return
    if meta.get("error"):
        found = f"Where backups go cannot be read: {meta['error']}"
        findings.bad("backups", found, "Check [backup] to, its keys and its rights.")
        return
    newest_ms = moment_ms(meta.get("newest_at"))
    if newest_ms is None:
        findings.warn("backups", "There is none yet.", "Make one now: 'playhead backup'.")
        return
    said = f"The newest is {spoken(max(0, answer.after_ms - newest_ms))} old"
    rule = (
        f"they are made by '{meta['every']}'"
        if meta.get("every")
        else "none are made by themselves"
    )
    findings.ok("backups", f"{said}; {rule}.")


def _note(check: str, alert: dict[str, Any], findings: Findings) -> None:
    note = findings.bad if alert["severity"] == "critical" else findings.warn
    note(check, str(alert["sentence"]), str(alert["remedy"]))


def _lag(status: Status) -> str:
    return f"{status['lag']['events']:,} events wait for the store; answers are up to date."


def _worker(status: Status) -> str:
    return f"At work, {status['worker']['open_views']:,} views open."


def _restarts(status: Status) -> str:
    ages = [one["age_ms"] for one in status["processes"].values() if one["age_ms"] is not None]
    if not ages:
        return "No supervisor here counts restarts."
    return f"All processes have run for {spoken(min(ages))} or longer."


def _store(_: Status) -> str:
    return "It answers."


def _books(status: Status) -> str:
    return f"Every one of {status['events']['in']:,} events is accounted for."


def _drops(status: Status) -> str:
    dropped = status["events"]["dropped"]
    lost = sum(dropped.values())
    if not lost:
        return "No event was ever dropped."
    most = max(dropped, key=dropped.__getitem__)
    return f"Few: {lost:,} since the folder was made, most of them as '{most}'."


def _quarantine(status: Status) -> str:
    refused = status["events"]["quarantined"]
    return f"Few: {refused:,} events since the folder was made." if refused else "It is empty."


def _refused(status: Status) -> str:
    kept = len(status["refusals"])
    return f"Few requests are refused; {kept} lately." if kept else "No request was refused lately."


def _views(_: Status) -> str:
    return "Materialized views take what their data sources have."


def _disk(status: Status) -> str:
    disk = status["disk"]
    days = disk.get("full_in_days")
    rate = "" if days is None else f" At the present rate it is full in {days:,.0f} days."
    free, floor = size(disk["free_bytes"]), size(disk["floor_bytes"])
    return f"{free} free; the doors would close below {floor}.{rate}"


def _parts(_: Status) -> str:
    return "Nothing is set aside as damaged, merges keep up, no change is stuck."


_CHECKS: Final[tuple[tuple[str, tuple[str, ...], Callable[[Status], str]], ...]] = (
    ("lag", ("lag",), _lag),
    ("worker", ("worker_silent",), _worker),
    ("restarts", ("restarts",), _restarts),
    ("store", (SILENT, "log_unread"), _store),
    ("books", ("books",), _books),
    ("drops", ("dropped",), _drops),
    ("quarantine", ("quarantined",), _quarantine),
    ("refusals", ("refused",), _refused),
    ("views", ("view_failed",), _views),
    ("disk", ("disk_low",), _disk),
    ("parts", ("parts", "mutations", "broken_parts"), _parts),
)
"""The name of a check, the alerts that are about it, and what to say without one."""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
