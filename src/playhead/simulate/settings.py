"""What a simulation is asked for."""

import re

import msgspec

from playhead.errors import ConfigInvalid

MAX_BACKLOG_MS = 50 * 60_000
"""A fast simulation starts at most this far in the past: older views would count as closed."""

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A bad hour of one CDN: less throughput, slow answers, failing segments.

    `cdn` or `country` left empty means any. `duration_ms` 0 lasts until the end.
    """

    cdn: str = ""
    country: str = ""
    after_ms: int = 60_000
    duration_ms: int = 0
    throughput_factor: float = 0.06
    latency_factor: float = 4.0
    segment_error_rate: float = 0.05

    def hits(self, cdn: str, country: str, elapsed_ms: float) -> bool:
        """Tell whether a request over `cdn` from `country` suffers `elapsed_ms` after the start."""
        return (
            self.cdn in ("", cdn)
            and self.country in ("", country)
            and elapsed_ms >= self.after_ms
            and (self.duration_ms == 0 or elapsed_ms < self.after_ms + self.duration_ms)
        )


class SimulationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what the simulated viewers do; the same values, the same viewers.

    `start_ms` is the simulated UTC time at which batches begin to leave; viewers already playing
    then began within the `warm_up_ms` before and hand in what they kept. With `seconds` all
    viewers leave after that much simulated time; 0 goes on for ever.
    """

    viewers: int = 200
    seed: int = 1
    start_ms: int = 1_700_000_000_000
    seconds: float = 0
    incident: Incident | None = None
    warm_up_ms: int = 240_000
    skewed_clock_share: float = 0.02
    resend_share: float = 0.003
    """Share of batches whose acknowledgement is lost, so that the player sends them again."""
    keep_truth: bool = False
    """Keep what really happened, view by view: memory grows with every view."""

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        if self.viewers < 1:
            raise ConfigInvalid(f"A simulation needs at least one viewer, not {self.viewers}.")


def duration_ms(text: str) -> int:
    """Return the milliseconds of `90s`, `5m`, `2h`, `30d` or a plain number of seconds.

    Raises:
        ConfigInvalid: Text that is no duration.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", text)
    if match is None:
        raise ConfigInvalid(f"'{text}' is no duration: write 90s, 5m, 2h or 30d.")
    return round(float(match[1]) * _UNITS_MS[match[2] or "s"])


def parse_incident(text: str) -> Incident:
    """Read `cdn=aurora,country=DE,after=60s,for=5m`; every part may be left out.

    Raises:
        ConfigInvalid: A part that is unknown or has no value.
    """
    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = part.partition("=")
        if name not in {"cdn", "country", "after", "for"} or not value:
            raise ConfigInvalid(
                f"'{part}' is no part of an incident: write cdn=…,country=…,after=60s,for=5m."
            )
        found[name] = value
    return Incident(
        cdn=found.get("cdn", ""),
        country=found.get("country", "").upper(),
        after_ms=duration_ms(found.get("after", "60s")),
        duration_ms=duration_ms(found.get("for", "0s")),
    )


def start_of(now_ms: int, speed: float, seconds: float = 0) -> int:
    """Return the simulated start for a run at `speed`: in the past, so that it catches up.

    No event may come from the future, so a simulation faster than time begins earlier and ends at
    now: after `seconds` of real time, or ten minutes when it has no end.
    """
    backlog_ms = max(0.0, speed - 1) * 1_000 * (seconds or 600)
    return now_ms - round(min(backlog_ms, MAX_BACKLOG_MS))
