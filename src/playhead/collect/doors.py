"""Every door and its address."""

from collections.abc import Mapping

import msgspec

from playhead.access import Tokens
from playhead.clock import Clock
from playhead.collect import cmcd, epas
from playhead.collect.door import ASGIApp
from playhead.collect.entrance import Append, Promises, entrance_of
from playhead.collect.events import PATH, EventsDoor
from playhead.collect.logs.door import PATHS as CDN_PATHS
from playhead.collect.logs.door import CdnLogDoor
from playhead.collect.refusals import Refusals
from playhead.collect.telemetry import PATHS, TelemetryDoor
from playhead.config import Config

_NONE = Promises()


def doors(
    config: Config,
    append: Append,
    tokens: Tokens,
    clock: Clock,
    refusals: Refusals,
    promises: Promises = _NONE,
) -> Mapping[str, ASGIApp]:
    """Return the ASGI callable of each path.

    Args:
        config: The settings.
        append: Puts entries into the log.
        tokens: The write keys.
        clock: Time.
        refusals: Collects what the doors do not take.
        promises: What they can say beyond that a request is on disk.
    """
    entrance = entrance_of(config, append, tokens, clock, refusals=refusals)
    entrance = msgspec.structs.replace(entrance, promises=promises)
    known = promises.tokens or tokens
    doorway = msgspec.structs.replace(entrance.doorway, tokens=known)
    of_all = msgspec.structs.replace(entrance, doorway=doorway)
    return {
        **dict.fromkeys(PATHS, TelemetryDoor(entrance)),
        **dict.fromkeys(cmcd.PATHS, cmcd.CmcdDoor(entrance)),
        **dict.fromkeys(epas.PATHS, epas.EpasDoor(entrance)),
        PATH: EventsDoor(of_all),
        **dict.fromkeys(CDN_PATHS, CdnLogDoor(entrance)),
    }
