"""The states of a view: what a player was doing between two moments."""

from enum import StrEnum


class State(StrEnum):
    """One state of the player's state machine; a view's intervals never overlap."""

    IDLE = "idle"
    STARTING = "starting"
    PLAYING = "playing"
    REBUFFERING = "rebuffering"
    SEEKING = "seeking"
    PAUSED = "paused"
    AD = "ad"
    AD_REBUFFERING = "ad_rebuffering"
    UNKNOWN = "unknown"
    """No event for the heartbeat timeout: not watched, not concurrent."""


class Status(StrEnum):
    """Where a view stands: the open ones first, then how it ended."""

    STARTING = "starting"
    PLAYING = "playing"
    REBUFFERING = "rebuffering"
    SEEKING = "seeking"
    PAUSED = "paused"
    AD = "ad"
    SILENT = "silent"
    """Open, but no event for the heartbeat timeout."""

    ENDED = "ended"
    FAILED = "failed"
    ABANDONED = "abandoned"
    """Left before the first frame (EBVS)."""

    STOPPED = "stopped"
    """Left after the first frame by the viewer, or idle for the view's idle time."""
