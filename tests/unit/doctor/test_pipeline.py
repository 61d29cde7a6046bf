"""What the doctor makes of a status: alerts are findings, and the rest is said to be well."""

from typing import Any

from playhead.doctor.finding import Findings, Level
from playhead.doctor.pipeline import look_at_engine, look_at_pipeline
from playhead.serve.watch.rules import RULES

STATUS: dict[str, Any] = {
    "lag": {"events": 0},
    "events": {"in": 7, "dropped": {"too_old": 2, "log_gap": 1}, "quarantined": 0},
    "worker": {"open_views": 1},
    "processes": {"web": {"age_ms": 60_000}, "worker": {"age_ms": None}},
    "refusals": [],
    "disk": {"free_bytes": 1 << 31, "floor_bytes": 1 << 30, "full_in_days": 12.4},
    "store": {"version": "26.9.2.1", "parts": 5, "merges": 0, "mutations": 0},
    "alerts": [],
}


def alert(name: str, severity: str = "warning") -> dict[str, Any]:
    return {"id": name, "severity": severity, "sentence": f"{name}.", "remedy": "Do something."}


def looked(**changed: Any) -> Findings:
    findings = Findings()
    status = STATUS | changed
    look_at_pipeline(status, findings)
    look_at_engine(status, findings)
    return findings


def test_a_status_without_alerts_is_fine_and_told_in_numbers() -> None:
    found = {one.check: one for one in looked().found}
    assert {one.level for one in found.values()} == {Level.OK}
    assert found["drops"].found.endswith("most of them as 'too_old'.")
    assert "full in 12 days" in found["disk"].found


def test_every_alert_becomes_a_finding_with_its_remedy() -> None:
    raised = [alert(name, "critical" if name == "books" else "warning") for name in RULES]
    found = {one.found: one for one in looked(alerts=raised).found if one.level is not Level.OK}
    assert set(found) == {f"{name}." for name in RULES}
    assert (found["books."].level, found["lag."].level) == (Level.BAD, Level.WARN)
    assert {one.remedy for one in found.values()} == {"Do something."}


def test_a_store_that_is_silent_or_old_is_not_called_well() -> None:
    silent = looked(alerts=[alert("store_unreachable", "critical")])
    assert not {"views", "parts"} & {one.check for one in silent.found}
    old = looked(store=STATUS["store"] | {"version": "26.7.9.1"})
    assert [one.check for one in old.found if one.level is Level.BAD] == ["engine"]
