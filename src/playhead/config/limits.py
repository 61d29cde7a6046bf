"""The limits of the open doors: what one sender, one property and one connection may take."""

from playhead.config.section import Section


class Limits(Section, frozen=True):
    """What strangers may take of doors that need no key; far above what players do."""

    burst_per_address: int = 10_000
    """Requests an address may send at once, out of its minute's worth (`collect.requests_per_minute_per_address`)."""
    requests_per_minute_per_property: int = 0
    """Requests with the keys of one property (or without a key) a minute, from all addresses; 0 is no limit."""
    burst_per_property: int = 10_000
    """The same at once, out of the minute's worth."""
    unpacked_bytes_per_request: int = 16_384
    """A body counts as one request more for each so many bytes, unpacked; 0 counts each once. Not one
    that comes with a token that is no write key: logs and rows of your own are large."""
    new_views_per_minute_per_address: int = 10_000
    """Views an address may begin a minute; beyond it 429, for new views only; 0 is no limit."""
    new_views_per_minute_per_property: int = 60_000
    """Views a property may begin a minute, from all addresses; beyond it the same; 0 is no limit."""
    new_views_grace_ms: int = 60_000
    """So long after a start no view counts as new: those that go on are learned first."""
    max_views_remembered: int = 500_000
    """Most views known to go on; one that is silent while so many others send counts as new again."""
    max_event_bytes: int = 16_384
    """Larger events are dropped (`too_large`): the worker keeps events in memory for a while."""
    max_connections: int = 10_000
    """Most connections, never more than the open files allow; further ones are answered 503."""
    max_connections_per_address: int = 2_000
    """Most connections of one address that is no trusted proxy; further ones are answered 429."""
    max_header_bytes: int = 32_768
    """Largest head of a request: its address, query string and headers."""
    max_headers: int = 100
    """Most headers of a request."""
    header_timeout_ms: int = 15_000
    """How long a connection may take to send a request's head."""
    send_stalled_ms: int = 60_000
    """A client that takes nothing of its answer for this long is let go."""
