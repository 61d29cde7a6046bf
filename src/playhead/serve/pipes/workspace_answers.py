"""Workspaces over HTTP: who is asking, which there are, making one and deleting it."""

import asyncio
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.errors import Conflict, Forbidden, InvalidRequest, NotFound
from playhead.query.span import iso
from playhead.serve.admission import secret_of
from playhead.serve.desk import body_of
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.reading import Reading
from playhead.serve.workspaces import Home

PATH: Final = "/v1/workspaces"
ORGANIZATION: Final = "playhead"
TEST: Final = "Tinybird_Local_Test_"
"""Begins the name of the workspace that `tb --local test run` makes for one run."""
BUILD: Final = "Tinybird_Local_Build_"
"""Begins the name that `tb --local` gives the workspace of a project's folder."""
_BODY_MAX_BYTES: Final = 8_192
_BODY_TIMEOUT_S: Final = 10.0
_CONFIRMS: Final = ("hard_delete_confirmation", "confirmation")


class WorkspaceAnswers:
    """Answers admins about workspaces: that of the main one about all, another about its own."""

    def __init__(self, desk: PipeDesk) -> None:
        self._desk = desk
        self._homes = desk.workspaces
        self._local = desk.config.server.tb_local

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/v0/workspace", self.one, methods=["GET"]),
            Route("/v1/workspace", self.one, methods=["GET"]),
            Route("/v1/user/workspaces", self.mine, methods=["GET"]),
            Route(PATH, self.make, methods=["POST"]),
            Route(PATH + "/{workspace}", self.delete, methods=["DELETE"]),
        ]

    async def one(self, request: Request) -> Response:
        """`GET /v1/workspace` and `GET /v0/workspace`."""
        return await self._desk.answer(request, self._one)

    async def mine(self, request: Request) -> Response:
        """`GET /v1/user/workspaces`."""
        return await self._desk.answer(request, self._mine)

    async def make(self, request: Request) -> Response:
        """`POST /v1/workspaces`."""
        return await self._desk.answer(request, self._make)

    async def delete(self, request: Request) -> Response:
        """`DELETE /v1/workspaces/{id or name}`."""
        return await self._desk.answer(request, self._delete)

    async def _one(self, request: Request, reading: Reading) -> Response:
        _check_whole(reading)
        return document(self._said(self._desk.home(request), secret_of(request)))

    async def _mine(self, request: Request, reading: Reading) -> Response:
        home = self._desk.home(request)
        _check_whole(reading)
        # The caller's own secret is no news to it; those of further workspaces are the main one's.
        seen = [] if home.id else self._homes.further()
        said = [self._said(home, secret_of(request))]
        said += [self._said(one, await asyncio.to_thread(one.secret)) for one in seen]
        return document(
            {
                "id": home.tokens.workspace_id,
                "email": f"admin@{ORGANIZATION}",
                "organization_id": self._homes.main.tokens.workspace_id,
                "organization_name": ORGANIZATION,
                "role": "admin",
                "workspaces": said,
            }
        )

    async def _make(self, request: Request, reading: Reading) -> Response:
        self._check_main(request, reading)
        name = (await _given(request)).get("name", "")
        if self._local and name.startswith(BUILD) and self._homes.take_name(name):
            # The first folder that is built by `tb --local` is the server's own project.
            return document(self._said(self._homes.main, secret_of(request)))
        home = await self._homes.create(name, test=name.startswith(TEST))
        return document(self._said(home, await asyncio.to_thread(home.secret)))

    async def _delete(self, request: Request, reading: Reading) -> Response:
        self._check_main(request, reading)
        given = await _given(request)
        name = request.path_params["workspace"]
        if not any(given.get(one) == "yes" for one in _CONFIRMS):
            raise InvalidRequest(
                "Deleting a workspace deletes its data; nothing was deleted.",
                hint=f"Add {_CONFIRMS[0]}=yes.",
            )
        main = self._homes.main
        if name in {main.tokens.workspace_id, self._homes.main_name()}:
            raise Conflict("The main workspace stays: it is the data folder.")
        home = self._homes.named(name)
        if home is None:
            raise NotFound(
                f"There is no workspace '{name[:80]}'.", hint="GET /v1/user/workspaces lists them."
            )
        await self._homes.delete(home.id)
        return document({"ok": True, "id": home.tokens.workspace_id, "name": home.name})

    def _check_main(self, request: Request, reading: Reading) -> None:
        _check_whole(reading)
        if self._desk.home(request).id:
            raise Forbidden(
                "Only the admin token of the main workspace makes and deletes workspaces.",
                hint="It is in admin.token of the data folder.",
            )

    def _said(self, home: Home, secret: str) -> dict[str, Any]:
        """Return a workspace as its clients read it."""
        organization = {"id": self._homes.main.tokens.workspace_id, "name": ORGANIZATION}
        return {
            "id": home.tokens.workspace_id,
            "name": home.name if home.id else self._homes.main_name(),
            "token": secret,
            "role": "admin",
            "main": None,
            "is_branch": False,
            "test": home.test,
            "database": home.database,
            "created_at": iso(home.created_at_ms) if home.created_at_ms else None,
            "organization": organization,
        }


def _check_whole(reading: Reading) -> None:
    if not reading.grant.is_whole():
        raise Forbidden(
            "Workspaces are shown to admin tokens alone.", hint="Use that of admin.token."
        )


async def _given(request: Request) -> dict[str, str]:
    """Return the parameters of the address and of a form; the address wins."""
    body = await body_of(request, max_bytes=_BODY_MAX_BYTES, timeout_s=_BODY_TIMEOUT_S)
    form = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=100))
    return {**form, **request.query_params}
