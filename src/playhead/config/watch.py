"""The settings of the watchdog: from when on something is an alert."""

from playhead.config.section import Section


class Watch(Section, frozen=True):
    """The watchdog: alerts at `/v1/status` and `/metrics`."""

    every_ms: int = 10_000
    """How often it looks."""
    window_ms: int = 900_000
    """Shares and growth are taken over the last so many milliseconds."""
    lag_ms: int = 60_000
    """Answers this far behind the log are a warning; ten times as far is critical."""
    dropped_share: float = 0.05
    """This share of the events dropped is a warning."""
    quarantined_share: float = 0.05
    """This share of the events quarantined is a warning."""
    refused_share: float = 0.2
    """This share of the requests at the doors refused is a warning."""
    min_events: int = 200
    """Fewer events (or requests) in the window say nothing about a share."""
    restarts_per_hour: int = 3
    """So many restarts of one process within an hour are a warning; three times as many are critical."""
    store_silent_ms: int = 15_000
    """A store that does not answer for so long is critical."""
    max_parts: int = 600
    """So many parts in one partition of a table are a warning: the engine merges too slowly."""
