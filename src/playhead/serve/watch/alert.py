"""An alert: one sentence on what is out of order, and what to do about it."""

from typing import Any, Final, Literal

import msgspec

from playhead.query.span import iso

Severity = Literal["warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("warning", "critical")


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something out of order. `since_ms` is UTC; 0 = since the look that found it first."""

    id: str
    severity: Severity
    sentence: str
    remedy: str
    since_ms: int = 0

    def told(self) -> dict[str, Any]:
        """Return the alert as `/v1/status` shows it."""
        return {
            "id": self.id,
            "severity": self.severity,
            "since": iso(self.since_ms),
            "sentence": self.sentence,
            "remedy": self.remedy,
        }


def spoken(ms: int) -> str:
    """Return a duration as a person says it: `45 s`, `12 min`, `3 h`, `5 days`."""
    seconds = ms // 1000
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7_200:
        return f"{seconds // 60} min"
    if seconds < 172_800:
        return f"{seconds // 3_600} h"
    return f"{seconds // 86_400} days"
