"""Tokens as operations."""

from typing import Final

from playhead.access.grant import KINDS
from playhead.access.scopes import TYPES
from playhead.serve.openapi.operations import JSON, Body, Operation, row
from playhead.serve.openapi.parameters import Schema, choice, path, text

_FAULTS: Final = (400, 403, 404, 408, 409, 413, 429, 500, 503)
_SCOPE: Final[Schema] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": list(TYPES)},
        "resource": {"type": "string"},
        "filter": {"type": "string"},
        "fixed_params": {"type": "object"},
    },
    "required": ["type"],
}
_TOKEN: Final = row(
    id="string", name="string", description="string", kind="string", property="string?",
    scopes={"type": "array", "items": _SCOPE}, limits=row(rps="integer?"), created_at="time",
    expires_at="string?",
)  # fmt: skip
_MADE: Final[Schema] = {
    "type": "object",
    "properties": {"token": {"type": "string"}, **_TOKEN["properties"]},
    "required": ["token", "name", "scopes"],
}
_BODY: Final[Schema] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "scopes": {"type": "array", "items": {"anyOf": [_SCOPE, {"type": "string"}]}},
        "limits": {"type": "object", "properties": {"rps": {"type": "integer", "minimum": 1}}},
        "expiration_time": {"type": "integer"},
        "kind": {"type": "string", "enum": list(KINDS)},
        "property": {"type": "string"},
    },
}
_WHICH: Final = path("token", "The id of a token, or its name.", examples=["wall"])
_SAID: Final = (
    text("name", "Its name."),
    text("scope", "`TYPE[:resource[:filter]]`; may stand several times."),
    text("description", "What it is for."),
    text("rps", "Most requests a second."),
)


def operations() -> tuple[Operation, ...]:
    """Return what can be done with tokens."""
    body = Body(
        said="Name, scopes, limits.", required=False, content={"application/json": _BODY},
    )  # fmt: skip
    return (
        Operation(
            path="/v0/tokens", tag="Tokens", forms=JSON, bare=True, faults=_FAULTS,
            said="The tokens that allow no more than the caller's; never their secrets.",
            data=row(tokens={"type": "array", "items": _TOKEN}),
        ),
        Operation(
            path="/v0/tokens", method="post", tag="Tokens", forms=JSON, bare=True, kind="admin",
            said="Make a token, or with `expiration_time` a JWT.", data=_MADE, faults=_FAULTS, body=body,
            parameters=(
                *_SAID, text("expiration_time", "When a JWT ends, in seconds since 1970."),
                choice("kind", "Instead of scopes, for the admin: a token of this kind.", *KINDS),
                text("property", "With `kind`: the only property it is for."),
            ),
        ),
        Operation(
            path="/v0/tokens/{token}", tag="Tokens", forms=JSON, bare=True, faults=_FAULTS, data=_TOKEN,
            said="One token; a token may always ask about itself.", parameters=(_WHICH,),
        ),
        Operation(
            path="/v0/tokens/{token}", method="put", tag="Tokens", forms=JSON, bare=True, kind="admin",
            said="Change a token; its secret stays.", data=_TOKEN, faults=_FAULTS, body=body,
            parameters=(_WHICH, *_SAID),
        ),
        Operation(
            path="/v0/tokens/{token}", method="delete", tag="Tokens", forms=JSON, bare=True, kind="admin",
            said="Remove a token.", data=row(ok="boolean"), faults=_FAULTS, parameters=(_WHICH,),
        ),
        Operation(
            path="/v0/tokens/{token}/refresh", method="post", tag="Tokens", forms=JSON, bare=True,
            kind="admin", said="Give a token a new secret; the old one ends.", data=_MADE,
            faults=_FAULTS, parameters=(_WHICH,),
        ),
    )  # fmt: skip
