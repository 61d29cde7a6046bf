"""Each rule raises its alert, and a server that does well raises none."""

from typing import Any

import pytest

from playhead.config import Config
from playhead.serve.pipeline import Pipeline
from playhead.serve.space.outlook import Outlook, State
from playhead.serve.watch.alert import spoken
from playhead.serve.watch.backups import BackupState
from playhead.serve.watch.engine import EngineHealth
from playhead.serve.watch.moment import Moment, Tally
from playhead.serve.watch.rules import RULES, alerts_of

NOW = 1_700_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
CONFIG = Config()
ENGINE: dict[str, Any] = {
    "version": "26.9.1.1", "parts": 10, "most_parts": 3, "fullest": "playhead.views 2026-01-01",
    "merges": 0, "mutations": 0, "failing_mutations": 0, "mutation_error": "",
    "detached_parts": 0, "broken_parts": 0, "broken": [],
}  # fmt: skip


def moment(
    pipeline: dict[str, Any] | None = None,
    tally: dict[str, Any] | None = None,
    engine: dict[str, Any] | None = None,
    **more: Any,
) -> Moment:
    """A server that does well, but for what is given."""
    fine = {"now_ms": NOW, "heard_at_ms": NOW, "as_of_ms": NOW, "next_offset": 9, "position": 9}
    return Moment(
        pipeline=Pipeline(**(fine | (pipeline or {}))),
        tally=Tally(at_ms=NOW, **(tally or {})),
        engine=EngineHealth(**(ENGINE | (engine or {}))),
        **({"started_at_ms": NOW} | more),
    )


def disk(state: State) -> Outlook:
    return Outlook(
        state=state, free_bytes=1, total_bytes=2, floor_bytes=1, warning_bytes=2,
        growth_bytes_per_day=None, full_in_days=None, sentence="1 GiB free.", remedy="Free space.",
    )  # fmt: skip


THEN = Tally(at_ms=NOW - 15 * MINUTE)
BEHIND = {"next_offset": 20, "pending_events": 500}
CASES: list[tuple[str, str, Moment, str]] = [
    ("lag", "warning", moment({**BEHIND, "as_of_ms": NOW - 2 * MINUTE}), "500 events wait"),
    ("lag", "critical", moment({**BEHIND, "as_of_ms": NOW - 20 * MINUTE}), "20 min behind"),
    ("worker_silent", "critical", moment({**BEHIND, "heard_at_ms": NOW - MINUTE}), "60 s"),
    ("worker_silent", "critical",
     moment({**BEHIND, "heard_at_ms": 0}, started_at_ms=NOW - MINUTE), "not been heard of"),
    ("restarts", "warning", moment(restarted_at_ms={"worker": [NOW - 5] * 3}), "worker 3 times"),
    ("restarts", "critical", moment(restarted_at_ms={"store": [NOW - 5] * 9}), "store 9 times"),
    ("store_unreachable", "critical", moment(store_silent_ms=20_000), "20 s"),
    ("log_unread", "critical", moment({"reason": "0.db is damaged."}, unread_ms=MINUTE), "0.db"),
    ("books", "critical", moment({"in_events": 7}, unbalanced_ms=MINUTE), "7 events"),
    ("disk_low", "warning", moment(outlook=disk("warn")), "1 GiB free"),
    ("disk_low", "critical", moment(outlook=disk("low")), "1 GiB free"),
    ("dropped", "warning", moment(tally={"ended": 1_000, "dropped": {"too_old": 380}}), "38 %"),
    ("quarantined", "warning", moment(tally={"ended": 1_000, "quarantined": 60}), "6 %"),
    ("refused", "warning",
     moment(tally={"requests": 400, "refused": 200, "codes": {"unauthenticated": 200}}),
     "most of them as 'unauthenticated'"),
    ("view_failed", "warning", moment(tally={"view_failed": 12}), "12 rows"),
    ("parts", "warning", moment(engine={"most_parts": 900}), "900 parts"),
    ("mutations", "warning",
     moment(engine={"failing_mutations": 1, "mutation_error": "no memory"}), "no memory"),
    ("backup", "warning",
     moment(backup=BackupState(error="No rights.", error_at_ms=NOW, due_ms=NOW)), "No rights;"),
    ("backup", "warning",
     moment(backup=BackupState(newest_ms=NOW - 30 * HOUR, due_ms=NOW - 6 * HOUR)), "30 h old"),
    ("broken_parts", "warning",
     moment(engine={"broken_parts": 1, "broken": ["playhead.views all_1"]}), "all_1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "severity", "now", "said"), CASES)
def test_what_is_out_of_order_is_said(name: str, severity: str, now: Moment, said: str) -> None:
    (alert,) = alerts_of(now, THEN, CONFIG)
    assert (alert.id, alert.severity) == (name, severity)
    assert said in alert.sentence
    assert alert.sentence.endswith(".")
    assert alert.remedy


def test_every_rule_has_a_case_and_is_named_after_its_alert() -> None:
    assert {name for name, *_ in CASES} == set(RULES)
    assert alerts_of(moment(), THEN, CONFIG) == []


def test_a_backup_that_is_never_due_is_not_late() -> None:
    never = moment(backup=BackupState(newest_ms=NOW - 30 * HOUR, due_ms=0))
    assert alerts_of(never, THEN, CONFIG) == []
    unread = moment(backup=BackupState(error="[backup] every: It has two fields."))
    assert [one.id for one in alerts_of(unread, THEN, CONFIG)] == ["backup"]


def test_few_events_say_nothing_about_a_share() -> None:
    few = moment(tally={"ended": 100, "dropped": {"too_old": 90}, "requests": 10, "refused": 10})
    assert alerts_of(few, THEN, CONFIG) == []
    old = Tally(at_ms=NOW - MINUTE, ended=1_000, dropped={"too_old": 380})
    now = moment(tally={"ended": 2_000, "dropped": {"too_old": 381}})
    assert alerts_of(now, old, CONFIG) == []


def test_critical_alerts_come_first_and_a_silent_store_excuses_the_worker() -> None:
    now = moment(
        {**BEHIND, "heard_at_ms": NOW - MINUTE}, {"view_failed": 1}, store_silent_ms=20_000
    )
    assert [one.id for one in alerts_of(now, THEN, CONFIG)] == ["store_unreachable", "view_failed"]
    assert [spoken(ms) for ms in (5_000, 200_000, 9_000_000, 900_000_000)] == [
        "5 s", "3 min", "2 h", "10 days",
    ]  # fmt: skip
