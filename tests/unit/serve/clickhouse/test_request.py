"""What a request of a ClickHouse client says."""

import gzip
from base64 import b64encode
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from playhead.config.file import load
from playhead.errors import InvalidBody
from playhead.serve.clickhouse.request import Asked, asked_of, plain, secret_of
from playhead.store.binding import bound

CONFIG = load().config


def request(query: str = "", body: bytes = b"", **headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {
        "type": "http", "method": "POST" if body else "GET", "path": "/", "headers": sent,
        "query_string": query.encode(),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)


async def asked(query: str = "", body: bytes = b"", **headers: str) -> Asked:
    return await asked_of(request(query, body, **headers), CONFIG)


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("query", "headers", "secret"),
    [
        ("", {"authorization": basic("default:t1")}, "t1"),
        ("", {"authorization": basic("t2:")}, "t2"),
        ("", {"authorization": "Bearer t3"}, "t3"),
        ("", {"x_clickhouse_key": "t4"}, "t4"),
        ("password=t5&user=x", {}, "t5"),
        ("token=t6", {}, "t6"),
        ("", {"authorization": "Basic !!!"}, ""),
        ("", {"authorization": basic("default:")}, ""),
    ],
)
def test_the_token_is_the_password(query: str, headers: dict[str, str], secret: str) -> None:
    assert secret_of(request(query, b"", **headers)) == secret


async def test_address_and_body_make_one_statement() -> None:
    found = await asked("query=SELECT+1&database=d&default_format=CSV&session_id=s", b"AS x")
    assert (found.query, found.database, found.format) == ("SELECT 1\nAS x", "d", "CSV")
    assert found.settings == {}


async def test_settings_of_the_answer_are_taken_and_others_left() -> None:
    found = await asked(
        "join_use_nulls=1&readonly=0&max_threads=9&limit=5&date_time_output_format=')--"
    )
    assert found.settings == {"join_use_nulls": "1", "limit": "5"}


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)]
)
async def test_a_body_may_be_packed(coding: str, pack: Any) -> None:
    assert (await asked(body=pack(b"SELECT 1"), content_encoding=coding)).query == "SELECT 1"
    with pytest.raises(InvalidBody):
        await asked(body=b"SELECT 1", content_encoding=coding)


async def test_how_the_answer_is_packed() -> None:
    assert (await asked(accept_encoding="gzip, zstd")).compression == "zstd"
    assert (await asked(accept_encoding="br, gzip")).compression == "gzip"
    assert (await asked("enable_http_compression=0", accept_encoding="gzip")).compression == ""


@given(st.text(st.characters(codec="utf-8")))
def test_a_text_as_clients_send_it_is_the_text_again(text: str) -> None:
    assert plain(bound(text)) == text
