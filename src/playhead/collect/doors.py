"""Every door and its address."""

from collections.abc import Mapping

from playhead.access import Tokens
from playhead.clock import Clock
from playhead.collect.door import Append, ASGIApp, entrance_of
from playhead.collect.refusals import Refusals
from playhead.collect.telemetry import PATHS, TelemetryDoor
from playhead.config import Config


def doors(
    config: Config, append: Append, tokens: Tokens, clock: Clock, refusals: Refusals
) -> Mapping[str, ASGIApp]:
    """Return the ASGI callable of each path; `refusals` collects what they do not take."""
    entrance = entrance_of(config, append, tokens, clock, refusals=refusals)
    return dict.fromkeys(PATHS, TelemetryDoor(entrance))
