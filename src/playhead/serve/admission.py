"""Who may ask: tokens, kinds, rates. A secret is looked at here and never kept or logged."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import Request

from playhead.access import Grant
from playhead.errors import Forbidden, RateLimited, Unauthenticated
from playhead.serve.services import Services

_READERS = frozenset({"admin", "read"})
_SECRET_CHARS_MAX = 512


class Admission:
    """Admits requests by their token, within the token's rate."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._clock = services.clock
        per_minute = services.config.query.requests_per_minute_per_token
        self._rate = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def reader(self, request: Request) -> Grant:
        """Return the grant of a request that reads.

        Raises:
            Unauthenticated: No token, or one that is not known.
            Forbidden: A token that may only send.
            RateLimited: More requests than `query.requests_per_minute_per_token`.
        """
        grant = self._grant(request)
        if grant.kind not in _READERS:
            raise Forbidden("This token may only send events.")
        return grant

    def _grant(self, request: Request) -> Grant:
        secret = secret_of(request)
        if not secret:
            raise Unauthenticated
        grant = self._services.tokens.resolve(secret) if len(secret) <= _SECRET_CHARS_MAX else None
        if grant is None:
            raise Unauthenticated("This token is not known, or no longer.")
        if self._rate and not self._limiter.hit(self._rate, grant.id):
            reset_s = self._limiter.get_window_stats(self._rate, grant.id).reset_time
            now_s = self._clock.now_ms() / 1000
            wait_s = min(60, max(1, round(reset_s - now_s)))
            raise RateLimited("Too many requests with this token.", retry_after_s=wait_s)
        return grant


def secret_of(request: Request) -> str:
    """Return the secret a request brings, by header first, else by `?token=`; empty if none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return secret.strip()
    return request.query_params.get("token", "")


def is_whole(grant: Grant) -> bool:
    """Return whether a grant sees what concerns the whole server."""
    return grant.kind == "admin" and grant.property is None
