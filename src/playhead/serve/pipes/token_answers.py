"""Tokens over HTTP: list, make, change, refresh and remove them; mint JWTs."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from playhead.access import (
    Grant,
    Scope,
    Tokens,
    check_gives,
    check_manages,
    checked_all,
    is_within,
)
from playhead.errors import Conflict, Forbidden, InvalidRequest, NotFound, StoreUnavailable
from playhead.query.pipes.row_filter import check_filters
from playhead.query.span import iso
from playhead.serve.admission import Admission
from playhead.serve.pipes import token_request
from playhead.serve.pipes.token_request import TokenRequest
from playhead.serve.services import Services

PATH = "/v0/tokens"
_SECRETIVE = {"cache-control": "private, no-store"}


class TokenAnswers:
    """The answers of `/v0/tokens`. A secret leaves in the answer to its making and refresh alone."""

    def __init__(self, services: Services, admission: Admission) -> None:
        self._homes = services.homes()
        self._store = services.store
        self._admission = admission

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(PATH, self.tokens, methods=["GET", "POST"]),
            Route(PATH + "/{token:any}/refresh", self.refresh, methods=["POST"]),
            Route(PATH + "/{token:any}", self.token, methods=["GET", "PUT", "DELETE"]),
        ]

    async def tokens(self, request: Request) -> Response:
        """`GET` and `POST /v0/tokens`."""
        caller = self._admission.holder(request).grant
        if request.method == "POST":
            return await self._make(request, caller)
        check_manages(caller)
        grants = await asyncio.to_thread(self._tokens(caller).list)
        seen = [one for one in grants if one.id == caller.id or is_within(caller, one)]
        return _answer({"tokens": [_described(one) for one in seen]})

    async def token(self, request: Request) -> Response:
        """`GET`, `PUT` and `DELETE /v0/tokens/{id or name}`."""
        caller = self._admission.holder(request).grant
        if request.method != "GET":
            check_manages(caller)
        found = await self._found(request, caller)
        if request.method == "GET":
            return _answer(_described(found))
        self._check_changes(caller, found)
        if request.method == "DELETE":
            await asyncio.to_thread(self._tokens(caller).revoke, found.id)
            return _answer({"ok": True})
        return await self._change(request, caller, found)

    async def refresh(self, request: Request) -> Response:
        """`POST /v0/tokens/{id or name}/refresh`."""
        caller = self._admission.holder(request).grant
        check_manages(caller)
        found = await self._found(request, caller)
        self._check_changes(caller, found)
        grant, secret = await asyncio.to_thread(self._tokens(caller).refresh, found.id)
        return _answer({**_described(grant), "token": secret})

    def _tokens(self, caller: Grant) -> Tokens:
        """Return the tokens of the caller's workspace."""
        return self._homes.of(caller.workspace).tokens

    async def _make(self, request: Request, caller: Grant) -> Response:
        check_manages(caller)
        asked = await token_request.read(request)
        if not asked.name:
            raise InvalidRequest("A token needs a name.", hint="Add name=….")
        if asked.kind is not None or asked.property is not None:
            return await self._make_of_kind(asked, caller)
        scopes = await self._checked(asked.scopes or (), caller)
        check_gives(caller, scopes, asked.rps)
        if asked.expires_at_s is not None:
            return self._mint(asked, caller, scopes, asked.expires_at_s)
        grant, secret = await asyncio.to_thread(
            self._tokens(caller).create_scoped,
            asked.name, scopes, rps=asked.rps, description=asked.description or "",
        )  # fmt: skip
        return _answer({**_described(grant), "token": secret})

    async def _make_of_kind(self, asked: TokenRequest, caller: Grant) -> Response:
        """Return a token as `playhead token create --kind` makes it: for the admin of the server."""
        if not caller.is_whole():
            raise Forbidden(
                "Only an admin token makes tokens of a kind.", hint="Send scopes instead of a kind."
            )
        if asked.scopes is not None or asked.rps is not None or asked.expires_at_s is not None:
            raise InvalidRequest(
                "A token of a kind has no scopes, limits or end.", hint="Leave out kind or these."
            )
        if asked.kind is None:
            raise InvalidRequest("A token of a property has a kind.", hint="Add kind=read.")
        grant, secret = await asyncio.to_thread(
            self._tokens(caller).create, asked.kind, asked.name or "", asked.property
        )
        return _answer({**_described(grant), "token": secret})

    def _mint(
        self, asked: TokenRequest, caller: Grant, scopes: Sequence[Scope], expires_at_s: int
    ) -> Response:
        grant, text = self._tokens(caller).signed.mint(
            asked.name or "", scopes, expires_at_s=expires_at_s, rps=asked.rps
        )
        described = _described(grant)
        del described["id"], described["created_at"]
        return _answer({**described, "token": text})

    async def _change(self, request: Request, caller: Grant, found: Grant) -> Response:
        asked = await token_request.read(request)
        if asked.expires_at_s is not None:
            raise InvalidRequest("A JWT cannot be changed; make a new one.")
        if asked.kind is not None or asked.property is not None:
            raise InvalidRequest(
                "Kind and property of a token stay as they are.", hint="Make a new token."
            )
        scopes = None if asked.scopes is None else await self._checked(asked.scopes, caller)
        rps = found.rps if asked.rps is None else asked.rps
        check_gives(caller, found.all_scopes() if scopes is None else scopes, rps)
        changed = await asyncio.to_thread(
            self._tokens(caller).change, found.id,
            name=asked.name, scopes=scopes, rps=asked.rps, description=asked.description,
        )  # fmt: skip
        return _answer(_described(changed))

    async def _checked(self, scopes: Sequence[Scope], caller: Grant) -> tuple[Scope, ...]:
        """Return scopes that can be, their filters read by the engine and looked at by the guard."""
        good = checked_all(scopes)
        conditions = [scope.filter for scope in good if scope.filter]
        try:
            if conditions:
                await check_filters(self._store, conditions)
        except StoreUnavailable:
            if not caller.is_whole():  # an admin may write what the admin's own queries may do
                raise
        return good

    async def _found(self, request: Request, caller: Grant) -> Grant:
        """Return the token of the address if the caller may know of it."""
        name = request.path_params["token"]
        missing = NotFound(f"There is no token '{name[:200]}'.", hint=f"GET {PATH} lists them.")
        try:
            found = await asyncio.to_thread(self._tokens(caller).found, name)
        except NotFound:
            check_manages(caller)
            raise missing from None
        if found.id == caller.id:
            return found
        check_manages(caller)
        if not is_within(caller, found):
            raise missing
        return found

    def _check_changes(self, caller: Grant, found: Grant) -> None:
        if not is_within(caller, found):
            raise Conflict("A token cannot change one that may do more.")


def _answer(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=_SECRETIVE)


def _described(grant: Grant) -> dict[str, Any]:
    """Return what is told of a token; never its secret."""
    return {
        # Clients of the reference look for it; secrets are not kept, so there is none to tell.
        "token": "",
        "id": grant.id,
        "name": grant.name,
        "description": grant.description,
        "kind": grant.kind,
        "property": grant.property,
        "scopes": [msgspec.to_builtins(one) for one in grant.all_scopes()],
        "limits": {"rps": grant.rps},
        "created_at": iso(grant.created_at),
        "expires_at": iso(grant.expires_at) if grant.expires_at is not None else None,
    }
