"""The endpoint of browser sessions: a token is given once and a cookie stands for it from then on."""

import asyncio
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead.config import Query
from playhead.errors import Forbidden, InvalidBody, Unauthenticated
from playhead.query.question import check_names
from playhead.query.span import iso
from playhead.serve.admission import COOKIE, Admission, Caller, secret_of
from playhead.serve.answer import answer, values_of
from playhead.serve.desk import body_of

_BODY_MAX_BYTES: Final = 4_096
_BODY_TIMEOUT_S: Final = 10.0


class _Given(msgspec.Struct):
    """The body that begins a session; empty where the token comes by header."""

    token: str = ""


class BrowserSession:
    """Begins, shows and ends a browser's session."""

    def __init__(self, admission: Admission, limits: Query) -> None:
        self._admission = admission
        self._limits = limits

    async def session(self, request: Request) -> Response:
        """`POST`, `GET` and `DELETE /v1/session`."""
        check_names(values_of(request), frozenset(), frozenset())
        if request.method == "POST":
            return await self._begin(request)
        if request.method == "DELETE":
            return await self._end(request)
        return answer(_described(self._admission.caller(request)), {})

    async def _begin(self, request: Request) -> Response:
        # Another site's page must not put its own session into a visitor's browser.
        if self._admission.browser.is_ours(request) is False:
            raise Forbidden("A session begins only from a page of this server.")
        given = await _given(request)
        secret = given.token.strip() or secret_of(request)
        if not secret:
            raise Unauthenticated(hint='Send the token in Authorization or as {"token": "…"}.')
        caller = self._admission.bearer(secret)
        sessions = self._admission.sessions
        before = sessions.find(request.cookies.get(COOKIE, ""))
        if before is not None:
            await asyncio.to_thread(sessions.end, before)
        cookie, session = await asyncio.to_thread(sessions.begin, caller.grant)
        response = answer(_described(Caller(caller.grant, session)), {})
        response.status_code = 201
        self._set(request, response, cookie, self._limits.session_ms // 1000)
        return response

    async def _end(self, request: Request) -> Response:
        if self._admission.browser.is_ours(request) is False:
            raise Forbidden("A session ends only from a page of this server.")
        sessions = self._admission.sessions
        session = sessions.find(request.cookies.get(COOKIE, ""))
        if session is not None:
            await asyncio.to_thread(sessions.end, session)
        response = answer({"ended": session is not None}, {})
        self._set(request, response, "", 0)
        return response

    def _set(self, request: Request, response: Response, cookie: str, max_age_s: int) -> None:
        base = request.scope.get("root_path", "").strip("/")
        response.set_cookie(
            COOKIE, cookie, max_age=max_age_s, path=f"/{base}", httponly=True, samesite="strict",
            secure=self._admission.browser.is_secure(request),
        )  # fmt: skip


def _described(caller: Caller) -> dict[str, Any]:
    session, grant = caller.session, caller.grant
    return {
        "kind": grant.kind,
        "name": grant.name,
        "property": grant.property,
        "expires_at": iso(session.expires_at) if session else None,
    }


async def _given(request: Request) -> _Given:
    text = await body_of(request, max_bytes=_BODY_MAX_BYTES, timeout_s=_BODY_TIMEOUT_S)
    try:
        return msgspec.json.decode(text or b"{}", type=_Given)
    except (msgspec.DecodeError, UnicodeDecodeError):
        hint = 'Send {"token": "…"}, or nothing and the token in Authorization.'
        raise InvalidBody("The body cannot be read as a token.", hint=hint) from None
