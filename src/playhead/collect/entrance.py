"""What all doors share, made once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from playhead.access import Tokens
from playhead.clock import Clock
from playhead.collect.address import Addresses
from playhead.collect.behaviour import Behaviour
from playhead.collect.device import seen_in
from playhead.collect.flood import Flood
from playhead.collect.geography import Geography
from playhead.collect.idempotency import Keys
from playhead.collect.internal import Internal
from playhead.collect.origins import Origins
from playhead.collect.rate import RateLimit
from playhead.collect.refusals import Refusals
from playhead.collect.sources import Sources
from playhead.collect.steps import Doorway, Known, Salt
from playhead.collect.viewer_ids import ViewerIds
from playhead.config import Config

LARGE_AT_ONCE: Final = 2
"""Large bodies in work at a time: one takes a few times its size of memory."""
Append = Callable[..., Awaitable[int]]
"""Puts the entries of one request into the log, all or none, and returns the first one's offset."""
Stored = Callable[[int], Awaitable[bool]]
"""Waits, within a limit, until the store holds what the log has at an offset; says if it does."""


class Promises(msgspec.Struct, frozen=True):
    """What doors without views can say of a request beyond that it is on disk."""

    keys: Keys | None = None
    """The idempotency keys; without them every request is a new one."""
    stored: Stored | None = None
    """Without it no answer waits for the store."""
    sources: Sources | None = None
    """The data sources of projects; without them there are the built-in ones alone."""
    tokens: Known | None = None
    """Tokens of all workspaces, for the events door; the others know those of the main one alone."""
    ingested: Callable[..., None] | None = None
    """Told of each request of the events door: `Recorder.ingested`."""


class Entrance(msgspec.Struct, frozen=True):
    """What all doors share."""

    config: Config
    append: Append
    clock: Clock
    doorway: Doorway
    refusals: Refusals
    promises: Promises = Promises()
    large: asyncio.Semaphore = msgspec.field(
        default_factory=lambda: asyncio.Semaphore(LARGE_AT_ONCE)
    )
    """Held while a body larger than `collect.max_decompressed_bytes` is read and stored."""


def entrance_of(
    config: Config,
    append: Append,
    tokens: Tokens,
    clock: Clock,
    *,
    geography: Geography | None = None,
    refusals: Refusals | None = None,
) -> Entrance:
    """Return what the doors share.

    Args:
        config: The settings; `collect` holds every limit.
        append: Puts entries into the log; raises `Unavailable` when it cannot.
        tokens: The write keys.
        clock: Time.
        geography: The place of an address; made from the settings when None.
        refusals: Where refusals are noted; its own when None.
    """
    seen_in(b"warm")  # loads the parser's rules now (0.1 s) instead of during a request
    collect = config.collect
    salt = Salt()
    doorway = Doorway(
        config=collect,
        tokens=tokens,
        addresses=Addresses(collect.trusted_proxies, collect.address_header),
        geography=Geography(collect, clock) if geography is None else geography,
        origins=Origins(collect.allowed_origins, tokens.origins),
        rate=RateLimit(collect, config.limits, clock),
        flood=Flood(collect, config.limits, clock),
        salt=salt,
        behaviour=Behaviour(collect.bot_views_per_minute),
        internal=Internal(collect),
        viewer_ids=ViewerIds(config.privacy, salt),
    )
    refusals = Refusals() if refusals is None else refusals
    return Entrance(config, append, clock, doorway, refusals)
