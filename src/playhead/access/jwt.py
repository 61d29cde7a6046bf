"""JSON Web Tokens: scopes signed with the text of the admin token, by Playhead or by its clients.

HS256 alone is taken. Nothing of a token is believed before its signature is.
"""

import base64
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import jwt
import msgspec

from playhead.access.grant import Grant
from playhead.access.scopes import JWT_TYPES, Scope, checked_all, fixed_of
from playhead.clock import Clock
from playhead.errors import Forbidden, InvalidRequest

JWT_CHARS_MAX: Final = 8_192
"""Longest token that is looked at."""
LIFE_S_MAX: Final = 10 * 366 * 86_400
"""Longest time until a token ends."""
CACHED_MAX: Final = 10_000
"""Most tokens remembered as good; those used longest ago go first."""
RPS_MAX: Final = 100_000
_ALGORITHM: Final = "HS256"
_NAME_CHARS_MAX: Final = 200
_HINT: Final = (
    "Sign it with HS256 and the text of admin.token, without its line break; it needs"
    " workspace_id ('playhead token workspace'), name, exp in seconds and scopes."
)


class _Limits(msgspec.Struct):
    rps: int | None = None


class _Claim(msgspec.Struct):
    """One scope as it stands in a token."""

    type: str
    resource: str = ""
    fixed_params: dict[str, Any] | None = None
    filter: str | None = None


class _Payload(msgspec.Struct):
    workspace_id: str
    exp: int | float
    scopes: list[_Claim]
    name: str = ""
    limits: _Limits | None = None
    nbf: int | float | None = None


class _Named(msgspec.Struct):
    workspace_id: str = ""


_DECODER: Final = msgspec.json.Decoder(_Payload)


def looks_signed(secret: str) -> bool:
    """Return whether a secret is made like a JWT; a token of Playhead's own never is."""
    return secret.count(".") == 2


def named_in(secret: str) -> str:
    """Return the workspace id that a JWT names, "" if it names none; nothing of it is proven."""
    try:
        payload = secret.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Named).workspace_id
    except (IndexError, ValueError, msgspec.DecodeError, RecursionError):
        return ""


class Signed:
    """Mints and verifies the tokens of one workspace.

    Args:
        workspace_id: The workspace they must name.
        clock: Decides whether one has ended.
        workspace: What grants say of it: `Grant.workspace`.
    """

    def __init__(self, workspace_id: str, clock: Clock, workspace: str = "") -> None:
        self._workspace_id = workspace_id
        self._workspace = workspace
        self._clock = clock
        self._lock = threading.Lock()
        self._key = ""
        self._good: OrderedDict[str, Grant] = OrderedDict()

    def use(self, key: str) -> None:
        """Take the text of the admin token as the key; "" = there is none. A new one ends all tokens."""
        with self._lock:
            if key != self._key:
                self._key = key
                self._good.clear()

    def mint(
        self, name: str, scopes: Sequence[Scope], *, expires_at_s: int, rps: int | None = None
    ) -> tuple[Grant, str]:
        """Return a token and what it allows.

        Raises:
            InvalidRequest: It would not be taken, and why.
        """
        payload: dict[str, Any] = {
            "workspace_id": self._workspace_id,
            "name": name,
            "exp": expires_at_s,
            "scopes": msgspec.to_builtins(tuple(scopes)),
        }
        if rps is not None:
            payload["limits"] = {"rps": rps}
        try:
            grant = self._grant(msgspec.json.encode(payload), "")
        except Forbidden as error:
            raise InvalidRequest(error.message) from None
        key = self._key
        if not key:
            raise InvalidRequest(
                "There is no admin token to sign with.", hint="Start Playhead once."
            )
        text = jwt.encode(payload, key, algorithm=_ALGORITHM)
        if len(text) > JWT_CHARS_MAX:
            raise InvalidRequest(f"The token would be longer than {JWT_CHARS_MAX} characters.")
        return grant, text

    def verify(self, text: str) -> Grant:
        """Return what a token allows.

        Raises:
            Forbidden: It is not signed with the admin token, has ended, or asks for what it cannot.
        """
        if len(text) > JWT_CHARS_MAX:
            _refuse(f"The token is longer than {JWT_CHARS_MAX} characters.")
        id_ = "jwt_" + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        with self._lock:
            key, grant = self._key, self._good.get(id_)
            if grant is not None:
                self._good.move_to_end(id_)
        if grant is None:
            grant = self._grant(_payload(text, key), id_)
            self._remember(grant, key)
        self._check_end(grant)
        return grant

    def holds(self, grant: Grant) -> bool:
        """Return whether a token that was good is still."""
        ends = grant.expires_at
        with self._lock:
            known = grant.id in self._good
        return known and ends is not None and ends > self._clock.now_ms()

    def _remember(self, grant: Grant, key: str) -> None:
        with self._lock:
            if key != self._key:
                return
            self._good[grant.id] = grant
            if len(self._good) > CACHED_MAX:
                self._good.popitem(last=False)

    def _grant(self, payload: bytes, id_: str) -> Grant:
        try:
            said = _DECODER.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _refuse(f"The token's payload cannot be used: {error}.")
        if said.workspace_id != self._workspace_id:
            _refuse("The token is for another workspace.")
        if len(said.name) > _NAME_CHARS_MAX:
            _refuse(f"The token's name has more than {_NAME_CHARS_MAX} characters.")
        rps = said.limits.rps if said.limits else None
        if rps is not None and not 1 <= rps <= RPS_MAX:
            _refuse(f"limits.rps of a token is from 1 to {RPS_MAX}.")
        now_s = self._clock.now_ms() / 1000
        if said.exp > now_s + LIFE_S_MAX:
            _refuse("The token's exp is more than ten years ahead; it is in seconds since 1970.")
        if said.nbf is not None and said.nbf > now_s:
            _refuse("The token is not valid yet (nbf).")
        grant = Grant(
            id_, said.name, "jwt", None, 0, _scopes(said.scopes), rps, int(said.exp * 1000),
            workspace=self._workspace,
        )  # fmt: skip
        self._check_end(grant)
        return grant

    def _check_end(self, grant: Grant) -> None:
        if grant.expires_at is None or grant.expires_at <= self._clock.now_ms():
            _refuse("The token has expired.", hint="Ask whoever made it for a new one.")


def _scopes(claims: list[_Claim]) -> tuple[Scope, ...]:
    found = []
    try:
        for claim in claims:
            if claim.type not in JWT_TYPES:
                _refuse(
                    f"A JWT cannot have the scope '{claim.type[:80]}', only {', '.join(JWT_TYPES)}."
                )
            fixed = fixed_of(claim.fixed_params or {})
            found.append(Scope(claim.type, claim.resource, claim.filter or "", fixed))
        return checked_all(found)
    except (InvalidRequest, RecursionError) as error:
        raise Forbidden(f"The token's scopes cannot be used: {error}", hint=_HINT) from None


def _payload(text: str, key: str) -> bytes:
    if not key:
        _refuse("There is no admin token that could have signed it.")
    try:
        decoded = jwt.PyJWS().decode_complete(text, key, algorithms=[_ALGORITHM])
    except Exception:  # noqa: BLE001 (whatever the library says of rubbish, the answer is no)
        _refuse("The token is not signed by this workspace.")
    payload: bytes = decoded["payload"]
    return payload


def _refuse(sentence: str, *, hint: str = _HINT) -> NoReturn:
    raise Forbidden(sentence, hint=hint)
