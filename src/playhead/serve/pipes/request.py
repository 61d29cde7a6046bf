"""A request to an endpoint or to /v0/sql: its parameters, from address and body."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from playhead.config import Config
from playhead.errors import InvalidBody, InvalidRequest
from playhead.query.pipes.formats import OUTPUT
from playhead.serve.desk import body_of
from playhead.template.rendering import Given

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_OURS: Final = frozenset({"token", "q", "explain", "pipeline", "debug"})
"""Parameters that concern the answer; the query does not see them."""
_YES: Final = frozenset({"1", "true", "yes", ""})
_HINT: Final = (
    "Send parameters in the address, as a form, or as a JSON object of texts, numbers and lists."
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says."""

    params: dict[str, Given]
    q: str | None = None
    explain: bool = False
    pipeline: str | None = None
    output: dict[str, str]
    """What it says of the output."""


async def asked_of(request: Request, config: Config, *, text_is_query: bool = False) -> Asked:
    """Return what a request says, in its address and then in its body.

    Args:
        request: GET or POST.
        config: Its limits.
        text_is_query: A body that is neither form nor JSON is `q`.

    Raises:
        InvalidRequest: More parameters than `pipes.max_parameters`.
        InvalidBody: A body that cannot be read as its content type says.
        BodyTooLarge: A body beyond `pipes.max_body_bytes`.
    """
    pairs: list[tuple[str, Any]] = list(request.query_params.multi_items())
    query: str | None = None
    if request.method == "POST":
        body = await body_of(
            request,
            max_bytes=config.pipes.max_body_bytes,
            timeout_s=config.collect.body_timeout_ms / 1000,
        )
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if text_is_query and kind not in {_JSON, _FORM}:
            query = _text(body).strip() or None
        else:
            pairs += _pairs(body, kind)
    most = config.pipes.max_parameters
    if len(pairs) > most:
        raise InvalidRequest(f"A request has at most {most} parameters.")
    given = _merged(pairs)
    query = query if query is not None else _single(given, "q")
    return Asked(
        params={name: value for name, value in given.items() if name not in _OURS},
        q=query,
        explain="explain" in given and (_single(given, "explain") or "").lower() in _YES,
        pipeline=_single(given, "pipeline") or None,
        output={name: _single(given, name) or "" for name in OUTPUT if name in given},
    )


def _pairs(body: bytes, kind: str) -> list[tuple[str, Any]]:
    if not body.strip():
        return []
    if kind == _JSON or (kind in {"", "text/plain"} and body.lstrip().startswith(b"{")):
        return list(_object(body).items())
    if kind in {"", _FORM, "text/plain"}:
        try:
            return list(parse_qsl(_text(body), keep_blank_values=True))
        except ValueError as error:
            raise InvalidBody("The form cannot be read.", hint=_HINT) from error
    raise InvalidBody(f"A body of type '{kind[:80]}' cannot be read here.", hint=_HINT)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidBody(f"The body is not JSON: {error}.", hint=_HINT) from error
    if not isinstance(found, dict):
        raise InvalidBody("The body is JSON, but no object.", hint=_HINT)
    return {str(name): value for name, value in found.items() if value is not None}


def _merged(pairs: Iterable[tuple[str, Any]]) -> dict[str, Given]:
    """Return each name with its value; a name that comes more than once has a list of texts."""
    found: dict[str, Given] = {}
    for name, value in pairs:
        given = [_plain(one) for one in value] if isinstance(value, list) else _plain(value)
        if name not in found:
            found[name] = given
            continue
        before = found[name]
        before = before if isinstance(before, list) else [before]
        found[name] = [*before, *(given if isinstance(given, list) else [given])]
    return found


def _plain(value: Any) -> str:
    """Return a value as its text in an address would be."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _single(given: dict[str, Given], name: str) -> str | None:
    value = given.get(name)
    if isinstance(value, list):
        return value[-1] if value else None
    return value


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidBody("The body is not UTF-8.", hint=_HINT) from error
