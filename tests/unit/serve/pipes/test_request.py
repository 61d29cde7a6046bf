from typing import Any

import msgspec
import pytest
from starlette.requests import Request

from playhead.config import Config, Pipes
from playhead.errors import BodyTooLarge, InvalidBody, InvalidRequest
from playhead.serve.pipes.request import asked_of

CONFIG = msgspec.structs.replace(Config(), pipes=Pipes(max_parameters=5, max_body_bytes=200))


def request(query: str = "", *, body: bytes | None = None, kind: str = "") -> Request:
    headers = [(b"content-type", kind.encode())] if kind else []
    scope: dict[str, Any] = {
        "type": "http", "method": "GET" if body is None else "POST", "path": "/v0/sql",
        "query_string": query.encode(), "headers": headers,
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body or b"", "more_body": False}

    return Request(scope, receive)


async def test_the_address_gives_parameters_and_what_is_ours() -> None:
    query = "a=1&b=x&b=y&q=SELECT&explain=true&pipeline=p&token=secret&output_format_json_quote_denormals=1"
    asked = await asked_of(request(query), msgspec.structs.replace(Config()))
    assert asked.params["a"] == "1"
    assert asked.params["b"] == ["x", "y"]
    assert (asked.q, asked.explain, asked.pipeline) == ("SELECT", True, "p")
    assert "token" not in asked.params
    assert asked.output == {"output_format_json_quote_denormals": "1"}


@pytest.mark.parametrize(
    ("body", "kind", "params"),
    [
        (b"a=1&b=2&b=3", "application/x-www-form-urlencoded", {"a": "1", "b": ["2", "3"]}),
        (b'{"a":1,"b":[2,"3"],"c":null,"d":true}', "application/json", {"a": "1", "b": ["2", "3"], "d": "true"}),
        (b'{"a":1.5}', "", {"a": "1.5"}),
        (b'{"a":{"b":1}}', "application/json; charset=utf-8", {"a": '{"b":1}'}),
        (b"a=", "", {"a": ""}),
        (b" ", "application/json", {}),
    ],
)  # fmt: skip
async def test_bodies_give_parameters(body: bytes, kind: str, params: dict[str, Any]) -> None:
    asked = await asked_of(request("z=0", body=body, kind=kind), CONFIG)
    assert asked.params == {"z": "0", **params}


async def test_a_text_is_the_query_of_sql() -> None:
    asked = await asked_of(
        request("a=1", body=b"SELECT '{a=1&b}'", kind="text/plain"), CONFIG, text_is_query=True
    )
    assert asked.q == "SELECT '{a=1&b}'"
    assert asked.params == {"a": "1"}


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"[1]", "application/json", InvalidBody),
        (b"{", "application/json", InvalidBody),
        (b"\xff=1", "", InvalidBody),
        (b"x", "image/png", InvalidBody),
        (b"a" * 300, "", BodyTooLarge),
        (b"a=1&b=2&c=3&d=4&e=5&f=6", "", InvalidRequest),
    ],
)
async def test_bodies_that_cannot_be(body: bytes, kind: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await asked_of(request(body=body, kind=kind), CONFIG)
