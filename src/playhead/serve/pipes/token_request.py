"""What a request about tokens says: parameters of the address, a form or JSON, in this order."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from playhead.access import Scope, scope_of
from playhead.access.scopes import SCOPES_MAX, fixed_of
from playhead.errors import InvalidBody, InvalidRequest
from playhead.serve.desk import body_of

BODY_MAX_BYTES: Final = 65_536
_BODY_TIMEOUT_S: Final = 10.0
_FORM: Final = "application/x-www-form-urlencoded"
_WHOLE: Final = re.compile(r"[0-9]{1,12}")
_HINT: Final = (
    'Send {"scopes": [{"type": "PIPES:READ", "resource": "my_pipe"}]}, or scope=PIPES:READ:my_pipe.'
)


class _Limits(msgspec.Struct):
    rps: int | None = None


class _Scope(msgspec.Struct):
    type: str
    resource: str = ""
    filter: str | None = None
    fixed_params: dict[str, Any] | None = None


class _Body(msgspec.Struct):
    name: str | None = None
    description: str | None = None
    scopes: list[_Scope | str] | None = None
    limits: _Limits | None = None
    expiration_time: int | None = None
    kind: str | None = None
    property: str | None = None


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; None = not said."""

    name: str | None = None
    description: str | None = None
    scopes: tuple[Scope, ...] | None = None
    rps: int | None = None
    expires_at_s: int | None = None
    """UTC seconds; then a JWT is meant."""
    kind: str | None = None
    """admin, read or write: a token without scopes, as the command line makes it."""
    property: str | None = None


async def read(request: Request) -> TokenRequest:
    """Return what a request says.

    Raises:
        InvalidRequest: A parameter that cannot be read.
        InvalidBody: A body that is no form and no JSON.
    """
    text = await body_of(request, max_bytes=BODY_MAX_BYTES, timeout_s=_BODY_TIMEOUT_S)
    pairs = list(request.query_params.multi_items())
    body = _Body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        # `curl -d '{…}'` says it is a form.
        if text.lstrip()[:1] == b"{":
            body = _json(text)
        else:
            pairs += parse_qsl(text.decode("utf-8", "replace"), max_num_fields=2 * SCOPES_MAX)
    elif text.strip():
        body = _json(text)
    values = dict(reversed(pairs))
    named = [scope_of(value) for name, value in pairs if name == "scope"]
    given = [_scope(one) for one in body.scopes or []]
    rps = body.limits.rps if body.limits else None
    return TokenRequest(
        name=values.get("name", body.name),
        description=values.get("description", body.description),
        scopes=(*named, *given) if named or body.scopes is not None else None,
        rps=_whole("rps", values.get("rps"), rps),
        expires_at_s=_whole("expiration_time", values.get("expiration_time"), body.expiration_time),
        kind=values.get("kind", body.kind) or None,
        # "" is kept, and refused: whoever left a name out by mistake must not get every property.
        property=values.get("property", body.property),
    )


def _json(text: bytes) -> _Body:
    try:
        return msgspec.json.decode(text, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidBody(f"The body cannot be read: {error}.", hint=_HINT) from None


def _scope(said: _Scope | str) -> Scope:
    if isinstance(said, str):
        return scope_of(said)
    fixed = fixed_of(said.fixed_params or {})
    return Scope(said.type, said.resource, said.filter or "", fixed)


def _whole(name: str, text: str | None, otherwise: int | None) -> int | None:
    if text is None:
        return otherwise
    if not _WHOLE.fullmatch(text):
        raise InvalidRequest(f"{name} is a whole number.")
    return int(text)
