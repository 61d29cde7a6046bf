"""A job: work that takes longer than a request, and is not lost when the server is."""

import secrets
from typing import Any, Final, Literal

import msgspec

State = Literal["waiting", "working", "done", "error", "cancelled"]
ENDED: Final[frozenset[str]] = frozenset({"done", "error", "cancelled"})


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job. Times are UTC ms; `done` and `total` are in the kind's own unit, 0 = not known."""

    id: str = ""
    kind: str
    workspace: str = ""
    """"" = the main one."""
    name: str = ""
    """The data source or pipe it is about."""
    writes: str = ""
    """The data source it writes: of one workspace such jobs run one after the other. "" = none,
    "*" = any of them."""
    state: State = "waiting"
    created_at: int = 0
    started_at: int = 0
    updated_at: int = 0
    detail: dict[str, Any] = {}
    """What was asked."""
    kept: dict[str, Any] = {}
    """Where it is: whatever a later run needs to go on."""
    done: int = 0
    total: int = 0
    error: str = ""
    """Why it failed, a sentence."""
    token: str = ""
    """Id of the token that asked for it."""
    token_name: str = ""
    cancelling: bool = False
    """Somebody asked to cancel it; it ends where it may."""
    runs: int = 0
    """How often it was started: more than once after a kill or a retry."""

    @property
    def ended(self) -> bool:
        """Return whether nothing more happens to it, unless it is retried."""
        return self.state in ENDED

    @property
    def percentage(self) -> float:
        """Return how much of it is done; 100 only when it is."""
        if self.state == "done":
            return 100.0
        return min(99.0, round(100 * self.done / self.total, 2)) if self.total else 0.0


def job_id(now_ms: int) -> str:
    """Return a new id: a UUID in whose order jobs were made."""
    text = f"{now_ms & 0xFFFFFFFFFFFF:012x}7{secrets.token_hex(10)[1:]}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))
