"""How many connections there are, in all and by address, and which are too many."""

import resource
from typing import Final

from playhead import observe
from playhead.collect.address import Networks, sender
from playhead.config import Config
from playhead.errors import PlayheadError, RateLimited, Unavailable

FILES_KEPT: Final = 256
"""Files the process needs besides its connections: log segments, SQLite, the store's sockets."""
SURPLUS_MAX: Final = 256
"""Connections beyond the limit that are still told so; further ones are closed without a word."""
LEAST: Final = 16
CROWDED_PERCENT: Final = 80
"""From here on an answer closes its connection: idle ones make room for new ones."""
WAIT_S: Final = 5
REFUSED = observe.counter(
    "connections_refused", "Connections refused or ended early, by reason.", ("reason",)
)
_OPEN = observe.gauge("connections", "Connections open at the one port.")
_MOST = observe.gauge("connections_max", "Connections that may be open, as the open files allow.")
_log = observe.logger("web")


class Connections:
    """Counts connections. Trusted proxies are not counted by address: theirs are everybody's.

    Args:
        config: The settings; `limits` holds the numbers.
        files_max: Open files the process may have; None raises its limit as far as needed.
    """

    def __init__(self, config: Config, files_max: int | None = None) -> None:
        wanted = config.limits.max_connections
        files = _files(wanted + FILES_KEPT + SURPLUS_MAX) if files_max is None else files_max
        self.max = max(LEAST, min(wanted, files - FILES_KEPT - SURPLUS_MAX))
        if self.max < wanted:
            _log.warning("connections_limited", most=self.max, open_files=files)
        self._crowded = self.max * CROWDED_PERCENT // 100
        self._per_address = config.limits.max_connections_per_address
        self._trusts = Networks(config.collect.trusted_proxies, "collect.trusted_proxies").hold
        self._by_address: dict[str, int] = {}
        self.count = 0
        _MOST.set(self.max)

    def enter(self, peer: str) -> PlayheadError | None:
        """Count a connection; return why it is one too many, None if it is not."""
        self.count += 1
        _OPEN.set(self.count)
        of_address = 0
        if not self._is_free(peer):
            who = sender(peer)
            of_address = self._by_address[who] = self._by_address.get(who, 0) + 1
        if self.count > self.max:
            REFUSED.labels("all").inc()
            return Unavailable(
                f"There are {self.max} connections, as many as may be. Nothing was stored.",
                retry_after_s=WAIT_S,
            )
        if of_address > self._per_address:
            REFUSED.labels("address").inc()
            return RateLimited(
                f"More than {self._per_address} connections from one address. Nothing was stored.",
                hint="Use connections again, or raise limits.max_connections_per_address.",
                retry_after_s=WAIT_S,
            )
        return None

    def leave(self, peer: str) -> None:
        """Count a connection no more."""
        self.count -= 1
        _OPEN.set(self.count)
        if self._is_free(peer):
            return
        who = sender(peer)
        left = self._by_address.get(who, 0) - 1
        if left > 0:
            self._by_address[who] = left
        else:
            self._by_address.pop(who, None)

    def is_crowded(self) -> bool:
        """Return whether answers should close their connections."""
        return self.count > self._crowded

    def is_overfull(self) -> bool:
        """Return whether there are so many that not even a refusal is sent."""
        return self.count > self.max + SURPLUS_MAX

    def _is_free(self, peer: str) -> bool:
        return self._per_address <= 0 or not peer or self._trusts(peer)


def _files(wanted: int) -> int:
    """Raise the limit of open files as far as wanted and allowed; return what it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return wanted
    raised = wanted if hard == unlimited else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    except (OSError, ValueError):
        return soft
    return raised
