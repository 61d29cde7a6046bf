"""Cache words: what each CDN calls a hit, a miss and the rest, in one spelling."""

from functools import lru_cache
from typing import Final

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "hit": (
        "HIT", "TCP_HIT", "TCP_MEM_HIT", "TCP_IMS_HIT", "TCP_DISK_HIT", "TCP_NEGATIVE_HIT",
        "TCP_PARTIAL_HIT", "TCP_COOKIE_HIT", "TCP_OFFLINE_HIT", "UDP_HIT", "ORIGINSHIELDHIT",
        "HIT-CLUSTER", "HIT-WAIT", "HIT-SYNTH", "HIT-REMOTE", "PARTIAL_HIT", "1", "TRUE",
    ),
    "miss": (
        "MISS", "TCP_MISS", "TCP_EXPIRED_MISS", "TCP_REFRESH_MISS", "TCP_CLIENT_REFRESH_MISS",
        "TCP_CLIENT_REFRESH", "TCP_PARTIAL_MISS", "TCP_SWAPFAIL_MISS", "TCP_COOKIE_MISS",
        "TCP_IMS_MISS", "UDP_MISS", "MISS-CLUSTER", "MISS-WAIT", "EXPIRED", "0", "FALSE",
    ),
    "refresh": (
        "REFRESHHIT", "TCP_EXPIRED_HIT", "TCP_REFRESH_HIT", "TCP_REFRESH_UNMODIFIED",
        "TCP_REVALIDATED_HIT", "REVALIDATED", "HIT-REFRESH", "REFRESH", "REFRESH_HIT",
    ),
    "stale": (
        "STALE", "UPDATING", "HIT-STALE", "HIT-STALE-CLUSTER", "TCP_REFRESH_FAIL_HIT",
        "TCP_STALE_HIT", "STALE_HIT",
    ),
    "pass": (
        "PASS", "PASS-WAIT", "HITPASS", "HIT-PASS", "MISS-PASS", "BYPASS", "DYNAMIC", "REDIRECT",
        "UNCACHEABLE", "CONFIG_NOCACHE", "TCP_TUNNEL", "LAMBDAGENERATEDRESPONSE",
        "FUNCTIONGENERATEDRESPONSE", "MISSGENERATEDRESPONSE", "PURGE", "PIPE", "SYNTH",
    ),
    "error": (
        "ERROR", "ERROR-CLUSTER", "ERROR-LOSTHDR", "TCP_DENIED", "TCP_ERROR", "LIMITEXCEEDED",
        "CAPACITYEXCEEDED", "LAMBDAEXECUTIONERROR", "LAMBDAVALIDATIONERROR",
        "LAMBDALIMITEXCEEDED", "FUNCTIONEXECUTIONERROR", "FUNCTIONTHROTTLEDERROR",
        "FUNCTIONVALIDATIONERROR",
    ),
}  # fmt: skip
"""State → words in capitals: Edgecast and other Squid-like, CloudFront, Fastly, Akamai, nginx."""
_STATE_OF: Final = {word: state for state, words in WORDS.items() for word in words}
_CACHE: Final = 4_096
STATE_MAX: Final = 128
"""Characters, from the end, that are looked at; callers cut, for they are remembered."""


@lru_cache(maxsize=_CACHE)
def state_of(word: str) -> str:
    """Return the state a CDN's word means, one of `cdn_request.CACHE_STATES`; empty if unknown.

    Of several (`MISS, HIT`: one per cache on the way) the last is the one at the edge. A word the
    table does not have counts by its part before the first dash or slash: `HIT-SOMETHING`.
    """
    last = word.rpartition(",")[2].strip().upper()
    found = _STATE_OF.get(last)
    if found is None:
        found = _STATE_OF.get(last.partition("/")[0].partition("-")[0].strip(), "")
    return found
