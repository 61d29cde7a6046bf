"""What is out of order: a rule an alert, each a pure function of two moments and the settings."""

from collections.abc import Callable
from typing import Final

from playhead.config import Config
from playhead.serve.watch.alert import Alert, Severity, spoken
from playhead.serve.watch.moment import Moment, Tally, grown

WORKER_SILENT_MS: Final = 45_000
"""A worker with work to do that was not heard of for so long is not at work."""
UNBALANCED_MS: Final = 60_000
"""Books that do not balance for so long are no moment between two reads."""
UNREAD_MS: Final = 30_000
OVERDUE_MS: Final = 3_600_000
"""A backup may take so long, or wait for its turn."""
_CRITICAL_TIMES: Final = 10
_RESTARTS_TIMES: Final = 3
_SAID_CHARS_MAX: Final = 200
_DROP_REMEDIES: Final = {
    "too_old": "Players send what they kept for long, or recorded files are sent as if new:"
    " use 'playhead replay', or raise collect.max_event_age_ms.",
    "too_far_ahead": "Check the clock of this machine (playhead doctor), then those of the senders.",
    "log_gap": "The log lost segments before they were read: see log.retention_bytes and the disk.",
    "view_too_long": "A player sends without end under one view id; look for it in /v1/views.",
}
_LOOK_AT_DROPS: Final = "See 'dropped' in /v1/status and the reasons in /docs/errors."

Rule = Callable[[Moment, Tally, Config], Alert | None]


def lag(now: Moment, then: Tally, config: Config) -> Alert | None:
    """Answers are far behind what was received."""
    pipeline = now.pipeline
    late_ms = pipeline.freshness_ms or 0
    if late_ms < config.watch.lag_ms:
        return None
    more = pipeline.pending_events - then.pending
    course = f"{abs(more):,} {'more' if more >= 0 else 'fewer'}"
    ago = spoken(max(0, pipeline.now_ms - then.at_ms))
    said = pipeline.notes.get("last_error") or pipeline.notes.get("rows_wait") or ""
    return Alert(
        id="lag",
        severity=_severe(late_ms >= _CRITICAL_TIMES * config.watch.lag_ms),
        sentence=f"Answers are {spoken(late_ms)} behind: {pipeline.pending_events:,} events wait in"
        f" the log, {course} than {ago} ago; nothing is lost.",
        remedy=f"The worker says: {_said(said)}."
        if said
        else "Look for heavy queries, a slow disk or too few processors; it catches up by itself.",
        since_ms=pipeline.now_ms - late_ms,
    )


def worker_silent(now: Moment, _: Tally, __: Config) -> Alert | None:
    """The worker has work to do and is not heard of; a store or disk at fault has its own alert."""
    pipeline = now.pipeline
    heard_ms = pipeline.heard_at_ms or now.started_at_ms
    silent_ms = pipeline.now_ms - heard_ms
    excused = now.store_silent_ms or (now.outlook is not None and now.outlook.state == "low")
    if not pipeline.pending_records or silent_ms < WORKER_SILENT_MS or excused:
        return None
    return Alert(
        id="worker_silent",
        severity="critical",
        sentence=f"The worker has not been heard of for {spoken(silent_ms)};"
        f" {pipeline.pending_events:,} events wait in the log, none is lost.",
        remedy="See the server's log for lines of the worker; if there are none, restart Playhead.",
        since_ms=heard_ms,
    )


def restarts(now: Moment, _: Tally, config: Config) -> Alert | None:
    """Processes died and were started again, often."""
    most = config.watch.restarts_per_hour
    often = {role: at for role, at in now.restarted_at_ms.items() if len(at) >= most}
    if not often:
        return None
    said = ", ".join(
        f"{role} {'once' if len(at) == 1 else f'{len(at)} times'}"
        for role, at in sorted(often.items())
    )
    return Alert(
        id="restarts",
        severity=_severe(any(len(at) >= _RESTARTS_TIMES * most for at in often.values())),
        sentence=f"Processes were started again within the last hour: {said}.",
        remedy="See 'process_died' in the server's log; code -9 is often the kernel short of memory.",
        since_ms=min(min(at) for at in often.values()),
    )


def store_unreachable(now: Moment, _: Tally, config: Config) -> Alert | None:
    """The store does not answer."""
    if now.store_silent_ms < max(1, config.watch.store_silent_ms):
        return None
    return Alert(
        id="store_unreachable",
        severity="critical",
        sentence=f"The store has not answered for {spoken(now.store_silent_ms)}: questions fail,"
        " events wait in the log.",
        remedy="See the server's log for lines of the store. One that hangs is started anew after"
        " 'kill -9' of its process; with store.kind = clickhouse, look at that server.",
        since_ms=now.pipeline.now_ms - now.store_silent_ms,
    )


def log_unread(now: Moment, _: Tally, __: Config) -> Alert | None:
    """The log or the worker's books cannot be read."""
    if now.unread_ms < UNREAD_MS:
        return None
    return Alert(
        id="log_unread",
        severity="critical",
        sentence=f"The log cannot be read: {_said(now.pipeline.reason)}.",
        remedy="Look at the disk of the data folder, then at the file that is named.",
        since_ms=now.pipeline.now_ms - now.unread_ms,
    )


def books(now: Moment, _: Tally, __: Config) -> Alert | None:
    """In is not stored + quarantined + dropped + duplicates + pending."""
    if now.unbalanced_ms < UNBALANCED_MS:
        return None
    pipeline = now.pipeline
    off = pipeline.in_events - pipeline.accounted - pipeline.pending_events
    return Alert(
        id="books",
        severity="critical",
        sentence=f"The books do not balance: {abs(off):,} events"
        f" {'are unaccounted for' if off > 0 else 'are counted twice'}.",
        remedy="Was a part of the data folder replaced? If not, report it with /v1/status.",
        since_ms=pipeline.now_ms - now.unbalanced_ms,
    )


def disk_low(now: Moment, _: Tally, __: Config) -> Alert | None:
    """The disk is full, or will soon be."""
    outlook = now.outlook
    if outlook is None or outlook.state == "ok":
        return None
    return Alert(
        id="disk_low",
        severity=_severe(outlook.state == "low"),
        sentence=outlook.sentence,
        remedy=outlook.remedy,
    )


def dropped(now: Moment, then: Tally, config: Config) -> Alert | None:
    """A large share of the events is dropped."""
    came = grown(now.tally.dropped, then.dropped)
    lost, ended = sum(came.values()), now.tally.ended - then.ended
    if not _is_share(lost, ended, config.watch.dropped_share, config):
        return None
    reason = next(iter(came))
    return Alert(
        id="dropped",
        severity="warning",
        sentence=f"{_percent(lost, ended)} of the events of the last {_window(now, then)} were"
        f" dropped, most of them as '{reason}'.",
        remedy=_DROP_REMEDIES.get(reason, _LOOK_AT_DROPS),
    )


def quarantined(now: Moment, then: Tally, config: Config) -> Alert | None:
    """A large share of the events is not what it should be."""
    bad, ended = now.tally.quarantined - then.quarantined, now.tally.ended - then.ended
    if not _is_share(bad, ended, config.watch.quarantined_share, config):
        return None
    return Alert(
        id="quarantined",
        severity="warning",
        sentence=f"{_percent(bad, ended)} of the events of the last {_window(now, then)} went into"
        " quarantine.",
        remedy="'playhead quarantine list' shows why; 'playhead quarantine retry' takes them up again.",
    )


def refused(now: Moment, then: Tally, config: Config) -> Alert | None:
    """A large share of the requests at the doors is refused."""
    bad, came = now.tally.refused - then.refused, now.tally.requests - then.requests
    if not _is_share(bad, came, config.watch.refused_share, config):
        return None
    codes = grown(now.tally.codes, then.codes)
    most = f", most of them as '{next(iter(codes))}'" if codes else ""
    return Alert(
        id="refused",
        severity="warning",
        sentence=f"{_percent(bad, came)} of the requests of the last {_window(now, then)} were"
        f" refused{most}.",
        remedy="See 'refusals' in /v1/status: door, reason and field of the last hundred.",
    )


def view_failed(now: Moment, then: Tally, _: Config) -> Alert | None:
    """Rows are in their table but not in a materialized view behind it."""
    failed = now.tally.view_failed - then.view_failed
    if failed <= 0:
        return None
    said = now.pipeline.notes.get("last_error", "")
    return Alert(
        id="view_failed",
        severity="warning",
        sentence=f"{failed:,} rows of the last {_window(now, then)} are in their data source but not"
        " in a materialized view behind it.",
        remedy=f"Mend the view, then populate it. The worker says: {_said(said) or 'nothing'}.",
    )


def parts(now: Moment, _: Tally, config: Config) -> Alert | None:
    """The engine merges more slowly than rows come."""
    engine = now.engine
    if engine is None or engine.most_parts < config.watch.max_parts:
        return None
    return Alert(
        id="parts",
        severity="warning",
        sentence=f"The engine merges too slowly: {engine.fullest} has {engine.most_parts:,} parts.",
        remedy="Partition that table more coarsely (by month), send larger batches,"
        " or give the store more processors.",
    )


def mutations(now: Moment, _: Tally, __: Config) -> Alert | None:
    """A change of stored rows does not get done."""
    engine = now.engine
    if engine is None or not engine.failing_mutations:
        return None
    return Alert(
        id="mutations",
        severity="warning",
        sentence=f"{engine.failing_mutations} changes of stored rows fail and are repeated:"
        f" {_said(engine.mutation_error)}.",
        remedy="Free memory and disk; one that can never succeed is ended by KILL MUTATION in the store.",
    )


def broken_parts(now: Moment, _: Tally, __: Config) -> Alert | None:
    """The engine found damaged parts and set them aside."""
    engine = now.engine
    if engine is None or not engine.broken_parts:
        return None
    return Alert(
        id="broken_parts",
        severity="warning",
        sentence=f"The engine set {engine.broken_parts} damaged parts aside"
        f" ({', '.join(engine.broken)}): their rows may be missing.",
        remedy="Check the disk and memory of this machine; restore those rows from a backup.",
    )


def backup(now: Moment, _: Tally, __: Config) -> Alert | None:
    """The last backup failed, or none was made when it was due."""
    state, now_ms = now.backup, now.pipeline.now_ms
    if state is None:
        return None
    is_late = bool(state.due_ms) and now_ms - state.due_ms >= OVERDUE_MS
    if not state.error and not is_late:
        return None
    age = f"{spoken(now_ms - state.newest_ms)} old" if state.newest_ms else "not there yet"
    failed = f"The last backup failed: {_said(state.error)}" if state.error else ""
    late = f"A backup was due {spoken(now_ms - state.due_ms)} ago"
    return Alert(
        id="backup",
        severity="warning",
        sentence=f"{failed or late}; the newest that is whole is {age}.",
        remedy="Look at its job in GET /v1/backups, mend that, then make one: 'playhead backup'.",
        since_ms=state.error_at_ms if state.error else state.due_ms,
    )


RULES: Final[dict[str, Rule]] = {
    rule.__name__: rule
    for rule in (
        lag, worker_silent, restarts, store_unreachable, log_unread, books, disk_low, dropped,
        quarantined, refused, view_failed, parts, mutations, broken_parts, backup,
    )
}  # fmt: skip
"""By the id of their alert."""


def alerts_of(now: Moment, then: Tally, config: Config) -> list[Alert]:
    """Return what is out of order, critical first."""
    found = [alert for rule in RULES.values() if (alert := rule(now, then, config)) is not None]
    return sorted(found, key=lambda alert: alert.severity != "critical")


def _said(text: str) -> str:
    """Return what somebody else says, as the end of a sentence of ours."""
    return text[:_SAID_CHARS_MAX].strip().rstrip(".")


def _severe(is_critical: bool) -> Severity:
    return "critical" if is_critical else "warning"


def _is_share(part: int, whole: int, share: float, config: Config) -> bool:
    return part > 0 and whole >= config.watch.min_events and part >= share * whole


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.0f} %"


def _window(now: Moment, then: Tally) -> str:
    return spoken(max(1_000, now.tally.at_ms - then.at_ms))
