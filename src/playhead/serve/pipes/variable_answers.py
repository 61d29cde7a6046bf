"""Variables over HTTP: the secrets of a workspace, which `tb_secret()` finds. No answer holds a value."""

import asyncio
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.access.files import write_private
from playhead.errors import Conflict, Forbidden, InvalidBody, InvalidRequest, NotFound
from playhead.project.variables import FILE, UNREADABLE, Variable, Variables, read_variables
from playhead.query.span import iso
from playhead.serve.desk import body_of
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.reading import Reading
from playhead.serve.services import Services

PATH: Final = "/v0/variables"
VALUE_BYTES_MAX: Final = 65_536
KIND: Final = "secret"
_BODY_MAX_BYTES: Final = 4 * VALUE_BYTES_MAX
_BODY_TIMEOUT_S: Final = 10.0
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
_HINT: Final = "Send name=…&value=… as a form, or both as a JSON object."


class VariableAnswers:
    """Lists, sets and removes the variables of the caller's workspace, for admins."""

    def __init__(self, desk: PipeDesk, services: Services) -> None:
        self._desk = desk
        self._clock = services.clock
        self._most = services.config.pipes.max_variables
        self._lock = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(PATH, self.variables, methods=["GET", "POST"]),
            Route(PATH + "/{name}", self.variable, methods=["GET", "PUT", "DELETE"]),
        ]

    async def variables(self, request: Request) -> Response:
        """`GET` and `POST /v0/variables`."""
        handler = self._create if request.method == "POST" else self._list
        return await self._desk.answer(request, handler)

    async def variable(self, request: Request) -> Response:
        """`GET`, `PUT` and `DELETE /v0/variables/{name}`."""
        handlers = {"PUT": self._change, "DELETE": self._remove}
        return await self._desk.answer(request, handlers.get(request.method, self._show))

    async def _list(self, request: Request, reading: Reading) -> Response:
        found = await self._read(request, reading)
        said = [_described(name, one) for name, one in sorted(found.values.items())]
        return document({"variables": said})

    async def _show(self, request: Request, reading: Reading) -> Response:
        found = await self._read(request, reading)
        name = _known(found, request.path_params["name"])
        return document(_described(name, found.values[name]))

    async def _create(self, request: Request, reading: Reading) -> Response:
        given = await _given(request)
        name = given.get("name", "")
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                "A variable has a name of letters, digits and _, at most 100, no digit first.",
                hint=_HINT,
            )
        async with self._lock:
            found = await self._read(request, reading)
            if name in found.values:
                raise Conflict(
                    f"There is a variable '{name}' already.",
                    hint=f"Change it by PUT {PATH}/{name}.",
                )
            if len(found.values) >= self._most:
                raise Conflict(f"There are {self._most} variables, the limit.")
            return await self._set(request, found, name, _value(given))

    async def _change(self, request: Request, reading: Reading) -> Response:
        given = await _given(request)
        async with self._lock:
            found = await self._read(request, reading)
            name = _known(found, request.path_params["name"])
            return await self._set(request, found, name, _value(given))

    async def _remove(self, request: Request, reading: Reading) -> Response:
        async with self._lock:
            found = await self._read(request, reading)
            name = _known(found, request.path_params["name"])
            left = {one: value for one, value in found.values.items() if one != name}
            removed = {**found.removed, name: self._clock.now_ms()}
            await self._write(request, Variables(values=left, removed=_newest(removed, self._most)))
        return document({"ok": True})

    async def _set(self, request: Request, found: Variables, name: str, value: str) -> Response:
        now_ms = self._clock.now_ms()
        before = found.values.get(name)
        variable = Variable(
            value=value,
            created_at_ms=before.created_at_ms if before else now_ms,
            updated_at_ms=now_ms,
        )
        removed = {one: at_ms for one, at_ms in found.removed.items() if one != name}
        values = {**found.values, name: variable}
        await self._write(request, Variables(values=values, removed=removed))
        return document(_described(name, variable))

    async def _read(self, request: Request, reading: Reading) -> Variables:
        if not reading.grant.is_whole():
            raise Forbidden(
                "Variables are for admin tokens alone.", hint="Use that of admin.token."
            )
        try:
            return await asyncio.to_thread(read_variables, self._desk.home(request).folder)
        except UNREADABLE as error:
            raise Conflict(
                f"The variables of this workspace cannot be read: {error}.",
                hint=f"Look at {FILE} in its folder.",
            ) from None

    async def _write(self, request: Request, variables: Variables) -> None:
        path: Path = self._desk.home(request).folder / FILE
        text = msgspec.json.encode(variables).decode()
        await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        await asyncio.to_thread(write_private, path, text)
        await self._desk.home(request).project.newest()


def _described(name: str, one: Variable) -> dict[str, Any]:
    """Return what is told of a variable; never its value."""
    return {
        "name": name,
        "type": KIND,
        "created_at": iso(one.created_at_ms),
        "updated_at": iso(one.updated_at_ms),
    }


def _newest(removed: dict[str, int], most: int) -> dict[str, int]:
    """Return as many as there may be variables, those removed last."""
    return dict(sorted(removed.items(), key=lambda one: one[1])[-most:])


def _known(found: Variables, name: str) -> str:
    if name not in found.values:
        raise NotFound(f"There is no variable '{name[:100]}'.", hint=f"GET {PATH} lists them.")
    return name


def _value(given: dict[str, str]) -> str:
    value = given.get("value")
    if value is None:
        raise InvalidRequest("There is no value.", hint=_HINT)
    if len(value.encode("utf-8", "surrogatepass")) > VALUE_BYTES_MAX:
        raise InvalidRequest(f"A value has at most {VALUE_BYTES_MAX} bytes.")
    if given.get("type", KIND) != KIND:
        raise InvalidRequest(f"A variable is of the type {KIND}.")
    return value


async def _given(request: Request) -> dict[str, str]:
    """Return what a form, a JSON object or the address says; the body wins: addresses are logged."""
    body = await body_of(request, max_bytes=_BODY_MAX_BYTES, timeout_s=_BODY_TIMEOUT_S)
    try:
        if body.lstrip()[:1] == b"{":
            said = msgspec.json.decode(body, type=dict[str, str])
        else:
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=100)
            said = dict(pairs)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise InvalidBody("The body cannot be read.", hint=_HINT) from error
    return {**request.query_params, **said}
