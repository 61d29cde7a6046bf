"""Who may ask: tokens, sessions, kinds, rates. A secret is looked at here and never kept or logged."""

from typing import Final

import msgspec
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import Request

from playhead.access import JWT_CHARS_MAX, SECRET_CHARS_MAX, Grant
from playhead.errors import Forbidden, RateLimited, Unauthenticated
from playhead.serve.browser import Browser
from playhead.serve.services import Services
from playhead.serve.token_rate import TokenRate
from playhead.sessions import Session, Sessions

COOKIE: Final = "playhead_session"
_READERS = frozenset({"admin", "read"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SIGNED = frozenset({"scoped", "jwt"})
"""Kinds that have scopes, and nothing besides."""


class Caller(msgspec.Struct, frozen=True):
    """Who asks: a token's grant, and the session it came by if it did."""

    grant: Grant
    session: Session | None = None


class Admission:
    """Admits requests by their token or session, within the token's rate."""

    def __init__(self, services: Services) -> None:
        self._workspaces = services.homes()
        self._clock = services.clock
        query = services.config.query
        self.sessions = Sessions(
            services.tokens,
            services.clock,
            keep_ms=query.session_ms,
            max_sessions=query.max_sessions,
        )
        self.browser = Browser(services.config)
        per_minute = query.requests_per_minute_per_token
        self._rate = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._per_second = services.config.pipes.requests_per_second_per_token
        self._seconds = TokenRate(services.clock)

    def reader(self, request: Request) -> Grant:
        """Return the grant of a request that reads.

        Raises:
            Unauthenticated: No token or session, or one that is not known.
            Forbidden: A token that may only send, or a session used from another site's page.
            RateLimited: More requests than `query.requests_per_minute_per_token`.
        """
        return self.caller(request).grant

    def caller(self, request: Request) -> Caller:
        """Return who sent a request that reads; raises as `reader`."""
        return _reading(self._within_minute(self._sender(request)))

    def holder(self, request: Request) -> Caller:
        """Return who sent a request with whatever token, or by a session: what /v0/* asks.

        What the token may do is for the answer to ask, by `Grant.may`.

        Raises:
            Unauthenticated: No token or session, or one that is not known.
            Forbidden: A JWT that is not to be taken, or a session used from another site's page.
            RateLimited: More requests than the token may make.
        """
        return self._within_second(self._sender(request), self._per_second)

    def holder_of(self, secret: str) -> Caller:
        """Return who has a token's secret, as `holder` does: for what brings it in a way of its own.

        Raises:
            Unauthenticated: It is not known.
            RateLimited: More requests than the token may make.
        """
        return self._within_second(self._known(secret), self._per_second)

    def bearer(self, secret: str) -> Caller:
        """Return who has a token's secret; raises as `reader`."""
        return _reading(self._within_minute(self._known(secret)))

    def allowance(self, grant: Grant) -> tuple[int, int, int] | None:
        """Return the requests a second of a token, those left, and the seconds until all are again.

        None where /v0/* has no limit for it.
        """
        per_second = grant.rps or self._per_second
        return (per_second, self._seconds.left(grant.id, per_second), 1) if per_second else None

    def _sender(self, request: Request) -> Caller:
        secret = secret_of(request)
        return self._known(secret) if secret else self._visitor(request)

    def _known(self, secret: str) -> Caller:
        longest = JWT_CHARS_MAX if "." in secret else SECRET_CHARS_MAX
        grant = self._workspaces.resolve(secret) if len(secret) <= longest else None
        if grant is None:
            raise Unauthenticated("This token is not known, or no longer.")
        return Caller(grant)

    def holds(self, caller: Caller) -> bool:
        """Return whether what admitted a caller is still good."""
        if caller.session is not None:
            return self.sessions.grant_of(caller.session) is not None
        return self._workspaces.holds(caller.grant)

    def _visitor(self, request: Request) -> Caller:
        """Return who comes by a session's cookie, which any page makes a browser send along."""
        secret = request.cookies.get(COOKIE, "")
        if not secret:
            raise Unauthenticated
        session = self.sessions.find(secret)
        grant = None if session is None else self.sessions.grant_of(session)
        if grant is None:
            raise Unauthenticated("This session has ended.", hint="Begin one by POST /v1/session.")
        if request.method not in _SAFE and not self.browser.is_ours(request):
            raise Forbidden(
                "A session changes something only from a page of this server.",
                hint="Send the token in 'Authorization: Bearer TOKEN' instead.",
            )
        return Caller(grant, session)

    def _within_minute(self, caller: Caller) -> Caller:
        grant = caller.grant
        if self._rate and not self._limiter.hit(self._rate, grant.id):
            reset_s = self._limiter.get_window_stats(self._rate, grant.id).reset_time
            now_s = self._clock.now_ms() / 1000
            wait_s = min(60, max(1, round(reset_s - now_s)))
            raise RateLimited("Too many requests with this token.", retry_after_s=wait_s)
        return self._within_second(caller, 0)

    def _within_second(self, caller: Caller, default: int) -> Caller:
        grant = caller.grant
        per_second = grant.rps or default
        if per_second and not self._seconds.takes(grant.id, per_second):
            raise RateLimited(f"This token has {per_second} requests a second.")
        return caller


def _reading(caller: Caller) -> Caller:
    """Return a caller that may read everything of a property, or of all: what /v1/* shows."""
    grant = caller.grant
    if grant.workspace:
        raise Forbidden(
            "This token belongs to a further workspace, which has no views and no events.",
            hint="Use a token of the main workspace.",
        )
    if grant.kind in _READERS:
        return caller
    if grant.kind in _SIGNED:
        # A filter would not hold here: these answers are not made from data sources by name.
        if grant.may("WORKSPACE:READ_ALL") and not grant.filters():
            return caller
        raise Forbidden(
            "The scopes of this token do not reach this answer.",
            hint="It needs WORKSPACE:READ_ALL without filters, or a token of kind read.",
        )
    raise Forbidden("This token may only send events.")


def secret_of(request: Request) -> str:
    """Return the secret a request brings, by header first, else by `?token=`; empty if none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return secret.strip()
    return request.query_params.get("token", "")


def is_whole(grant: Grant) -> bool:
    """Return whether a grant sees what concerns the whole server."""
    return grant.is_whole()
