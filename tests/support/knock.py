"""A request to a door, without a server."""

from collections.abc import MutableMapping
from typing import Any, NamedTuple

import msgspec

from playhead.collect.door import ASGIApp


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any
    raw: bytes
    """The body as it was sent."""


async def knock(
    door: ASGIApp, body: bytes, query: str = "", method: str = "POST", /, **headers: str | bytes
) -> Got:
    """Send a body; header names have `_` for `-`. The body of the answer is decoded, if any."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "query_string": query.encode("utf-8", "surrogatepass"),
        "client": ("127.0.0.1", 1),
        "headers": [
            (name.replace("_", "-").encode(), value.encode() if isinstance(value, str) else value)
            for name, value in headers.items()
        ],
    }
    await door(scope, receive, send)
    named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    answer = sent[1]["body"]
    return Got(sent[0]["status"], named, msgspec.json.decode(answer) if answer else None, answer)
