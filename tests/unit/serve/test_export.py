"""A file that breaks off: never one that looks whole."""

import json
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import pytest

from playhead.errors import QueryTimeout
from playhead.query.export import ExportQuestion, FileForm
from playhead.query.scope import Scope
from playhead.query.span import Span
from playhead.serve.export_answers import Export

SCOPE = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "GET", "headers": []}


async def pieces(*, broken: bool) -> AsyncGenerator[bytes, None]:
    yield b'{"n":2}\n'
    if broken:
        raise QueryTimeout


async def sent(form: FileForm, *, broken: bool) -> list[MutableMapping[str, Any]]:
    question = ExportQuestion(span=Span(0, 1), scope=Scope(), columns=("n",), form=form)
    messages: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    await Export(b'{"n":1}\n', pieces(broken=broken), question)(SCOPE, receive, send)
    return messages


async def test_a_whole_file_is_ended() -> None:
    start, *body = await sent("ndjson", broken=False)
    assert b"".join(one["body"] for one in body) == b'{"n":1}\n{"n":2}\n'
    assert body[-1]["more_body"] is False
    assert (b"content-type", b"application/x-ndjson") in start["headers"]


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_a_broken_one_says_why_and_is_not_ended(form: FileForm) -> None:
    _, *body = await sent(form, broken=True)
    assert all(one["more_body"] for one in body)
    last = body[-1]["body"].decode().strip().removeprefix("# ")
    assert json.loads(last)["error"]["code"] == "query_timeout"


async def test_parquet_has_no_line_to_say_it_in() -> None:
    _, *body = await sent("parquet", broken=True)
    assert body[-1] == {"type": "http.response.body", "body": b"", "more_body": True}
