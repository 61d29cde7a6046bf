"""A request as ClickHouse's clients send it: statement, values, settings, who asks."""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec
import zstandard
from starlette.requests import Request

from playhead.config import Config
from playhead.errors import BodyTooLarge, InvalidBody, InvalidRequest, QueryFailed
from playhead.serve.clickhouse.settings import honoured
from playhead.serve.desk import body_of
from playhead.store.form import fields_of, is_form

VALUES_MAX: Final = 200
_VALUE: Final = "param_"
_FORM: Final = "application/x-www-form-urlencoded"
_QUERY_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"t": "\t", "n": "\n", "r": "\r", "0": "\0", "b": "\b", "f": "\f"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says."""

    query: str
    database: str = ""
    format: str = ""
    """`default_format`; "" = none."""
    values: Mapping[str, str] = {}
    """`param_name`, as they were sent: in the engine's own form."""
    settings: Mapping[str, str] = {}
    """Those that are put in force."""
    query_id: str = ""
    protocol: int = 0
    """`client_protocol_version`."""
    compression: str = ""
    """How the answer is to be packed: zstd, gzip or not at all."""


def secret_of(request: Request) -> str:
    """Return the token a request brings as its password; "" if none.

    In this order: basic authorization (the password, or the user where that is empty), a bearer
    token, `X-ClickHouse-Key`, the parameters `password` and `token`.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        if password or user not in {"", "default"}:
            return password or user
    params = request.query_params
    return (
        request.headers.get("x-clickhouse-key", "")
        or params.get("password", "")
        or params.get("token", "")
    )


async def asked_of(request: Request, config: Config) -> Asked:
    """Return what a request says.

    Raises:
        InvalidBody: The body is not what its headers say.
        BodyTooLarge: It is longer than `pipes.max_body_bytes`.
        InvalidRequest: There are more values than are taken.
    """
    given = dict(request.query_params.multi_items())
    text = given.pop("query", "")
    if request.method == "POST":
        body = await _body(request, config)
        kind = request.headers.get("content-type", "")
        fields = _fields(body, kind)
        if fields is None:
            text = "\n".join(part for part in (text, _decoded(body)) if part)
        else:
            text = fields.pop("query", text)
            given |= fields
    values = {
        name.removeprefix(_VALUE): value for name, value in given.items() if name.startswith(_VALUE)
    }
    if len(values) > VALUES_MAX:
        raise InvalidRequest(f"A statement takes at most {VALUES_MAX} values.")
    query_id, protocol = given.get("query_id", ""), given.get("client_protocol_version", "")
    return Asked(
        query=text,
        database=given.get("database", "") or request.headers.get("x-clickhouse-database", ""),
        format=given.get("default_format", "") or request.headers.get("x-clickhouse-format", ""),
        values=values,
        settings=honoured(given.items()),
        query_id=query_id if _QUERY_ID.fullmatch(query_id) else "",
        protocol=int(protocol) if protocol.isdecimal() and len(protocol) < 10 else 0,
        compression=_compression(request, given),
    )


def plain(value: str) -> str:
    """Return a value as text: without the escapes that clients send it with."""
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), value)


def _compression(request: Request, given: Mapping[str, str]) -> str:
    if given.get("enable_http_compression", "1").lower() in {"0", "false"}:
        return ""
    accepted = [
        one.partition(";")[0].strip().lower()
        for one in request.headers.get("accept-encoding", "").split(",")
    ]
    return next((one for one in ("zstd", "gzip") if one in accepted), "")


async def _body(request: Request, config: Config) -> bytes:
    most = config.pipes.max_body_bytes
    body = await body_of(request, max_bytes=most, timeout_s=config.collect.body_timeout_ms / 1000)
    coding = request.headers.get("content-encoding", "").strip().lower()
    try:
        if coding == "gzip":
            unpacking = zlib.decompressobj(wbits=31)
            body = unpacking.decompress(body, most + 1)
        elif coding == "zstd":
            body = zstandard.ZstdDecompressor().stream_reader(body).read(most + 1)
        elif coding not in {"", "identity"}:
            raise InvalidBody(f"A body packed as '{coding[:40]}' cannot be read; use gzip or zstd.")
    except (zlib.error, zstandard.ZstdError) as error:
        raise InvalidBody(f"The body is not packed as {coding}.") from error
    if len(body) > most:
        raise BodyTooLarge(f"The body is longer than {most} bytes.")
    return body


def _fields(body: bytes, kind: str) -> dict[str, str] | None:
    """Return the fields of a body that is a form; None when it is the statement itself."""
    try:
        if is_form(kind):
            return fields_of(body, kind)
    except QueryFailed as error:
        raise InvalidBody("The form cannot be read.") from error
    # Clients such as curl call a statement a form, too.
    if kind.partition(";")[0].strip().lower() == _FORM and re.match(
        rb"\s*(?:query|param_\w+)=", body
    ):
        return dict(parse_qsl(_decoded(body), keep_blank_values=True))
    return None


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidBody("The statement is not UTF-8.") from error
