import base64
import json
import warnings
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from playhead.access.jwt import CACHED_MAX, JWT_CHARS_MAX, Signed
from playhead.clock import ManualClock
from playhead.errors import Forbidden, InvalidRequest

KEY = "ph_admin_" + "k" * 43
WORKSPACE = "0b2c6a3e-8f34-4b2f-9a37-6a9c2f6d2f10"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def signed(clock: ManualClock) -> Signed:
    made = Signed(WORKSPACE, clock)
    made.use(KEY)
    return made


def claims(**more: Any) -> dict[str, Any]:
    return {
        "workspace_id": WORKSPACE, "name": "viewer", "exp": 1_700_000_060,
        "scopes": [{"type": "PIPES:READ", "resource": "top"}],
    } | more  # fmt: skip


def text(payload: Any, key: str = KEY, **header: Any) -> str:
    return jwt.encode(payload, key, algorithm="HS256", headers=header or None)


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_signed_token_is_what_it_says(signed: Signed) -> None:
    scope = {"type": "DATASOURCES:READ", "resource": "plays", "filter": "n > 1"}
    grant = signed.verify(text(claims(scopes=[scope], limits={"rps": 7}, iat=1, extra=[1])))
    assert grant.filters() == {"plays": "(n > 1)"}
    assert (grant.kind, grant.name, grant.rps, grant.expires_at) == (
        "jwt", "viewer", 7, 1_700_000_060_000,
    )  # fmt: skip


def test_it_ends_with_its_time_also_when_it_was_good(signed: Signed, clock: ManualClock) -> None:
    token = text(claims())
    grant = signed.verify(token)
    clock.advance(60_000)
    assert not signed.holds(grant)
    with pytest.raises(Forbidden, match="expired"):
        signed.verify(token)


def test_another_key_ends_all(signed: Signed) -> None:
    token = text(claims())
    grant = signed.verify(token)
    signed.use(KEY + "2")
    assert not signed.holds(grant)
    with pytest.raises(Forbidden, match="not signed"):
        signed.verify(token)
    signed.use("")
    with pytest.raises(Forbidden, match="no admin token"):
        signed.verify(token)


@pytest.mark.parametrize(
    "wrong",
    [
        {"workspace_id": "other"}, {"workspace_id": 7}, {"workspace_id": None}, {"exp": None},
        {"exp": "soon"}, {"exp": True}, {"exp": 1_700_000_000}, {"exp": 10**18}, {"exp": -1},
        {"exp": float("inf")}, {"scopes": []}, {"scopes": {}}, {"scopes": "ADMIN"}, {"scopes": [7]},
        {"scopes": [{"type": "ADMIN"}]}, {"scopes": [{"type": "TOKENS"}]}, {"scopes": [{}]},
        {"scopes": [{"type": "PIPES:READ"}]}, {"scopes": [{"type": "PIPES:READ", "resource": "*"}]},
        {"scopes": [{"type": "PIPES:READ", "resource": ["a"]}]},
        {"scopes": [{"type": "PIPES:READ", "resource": "a", "fixed_params": {"x": {}}}]},
        {"scopes": [{"type": "PIPES:READ", "resource": "a", "fixed_params": []}]},
        {"scopes": [{"type": "DATASOURCES:READ", "resource": "a", "filter": "x; DROP"}]},
        {"scopes": [{"type": "PIPES:READ", "resource": f"p{n}"} for n in range(101)]},
        {"limits": {"rps": 0}}, {"limits": {"rps": -1}}, {"limits": {"rps": "x"}}, {"limits": 7},
        {"name": 7}, {"name": "n" * 201}, {"nbf": 1_700_000_030},
    ],
)  # fmt: skip
def test_a_payload_that_cannot_be_is_refused(signed: Signed, wrong: dict[str, Any]) -> None:
    with pytest.raises(Forbidden) as refused:
        signed.verify(text(claims(**wrong)))
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize("missing", ["workspace_id", "exp", "scopes"])
def test_what_is_needed_is_needed(signed: Signed, missing: str) -> None:
    payload = {name: value for name, value in claims().items() if name != missing}
    with pytest.raises(Forbidden, match=missing):
        signed.verify(text(payload))
    assert signed.verify(text(claims())).name == "viewer"


def _unsigned() -> str:
    return f"{part({'alg': 'none'})}.{part(claims())}."


def _nested() -> str:
    return f"{part(b'[' * 3_000)}.{part(b'{' * 2_000)}.{part(b'x')}"


def _critical() -> str:
    return text(claims(), crit=["b64"], b64=False)


FORGED: dict[str, Callable[[], str]] = {
    "none": _unsigned,
    "none with the signature": lambda: _unsigned() + text(claims()).rpartition(".")[2],
    "another key": lambda: text(claims(), KEY + "x"),
    "no key": lambda: text(claims(), "x" * 32),
    "HS512": lambda: jwt.encode(claims(), KEY + KEY, algorithm="HS512"),
    "HS384 of the key": lambda: jwt.encode(claims(), KEY, algorithm="HS384"),
    "RS256 in the header": lambda: (
        f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{'.'.join(text(claims()).split('.')[1:])}"
    ),
    "a changed payload": lambda: (
        f"{text(claims()).split('.')[0]}.{part(claims(name='root'))}.{text(claims()).split('.')[2]}"
    ),
    "nested rubbish": _nested,
    "no JSON": lambda: f"{part(b'x')}.{part(b'y')}.{part(b'z')}",
    "a list": lambda: f"{part([])}.{part([])}.{part([])}",
    "an empty one": lambda: "..",
    "not base64": lambda: "ä.ö.ü",
    "surrogates": lambda: "\udcff.\udcff.\udcff",
    "a number as algorithm": lambda: f"{part({'alg': 7})}.{part(claims())}.x",
    "a detached payload": _critical,
    "too long": lambda: text(claims(more="x" * JWT_CHARS_MAX)),
}


@pytest.mark.parametrize("forged", FORGED)
def test_what_is_forged_is_refused(signed: Signed, forged: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says so of short keys
        token = FORGED[forged]()
    with pytest.raises(Forbidden) as refused:
        signed.verify(token)
    assert refused.value.message.endswith(".")
    assert KEY not in refused.value.message


def test_deep_payloads_are_refused(signed: Signed) -> None:
    deep = b'{"workspace_id":' + b"[" * 2_000 + b"]" * 2_000 + b"}"
    token = jwt.PyJWS().encode(deep, KEY, algorithm="HS256")
    with pytest.raises(Forbidden):
        signed.verify(token)
    deep = (
        json.dumps(claims(scopes=[])).encode()[:-1] + b',"x":' + b"[" * 2_500 + b"]" * 2_500 + b"}"
    )
    with pytest.raises(Forbidden):
        signed.verify(jwt.PyJWS().encode(deep, KEY, algorithm="HS256"))


def test_good_tokens_are_remembered_up_to_a_limit(signed: Signed) -> None:
    token = text(claims())
    assert signed.verify(token) is signed.verify(token)
    first = signed.verify(token)
    for number in range(CACHED_MAX):
        signed._remember(_numbered(first, number), KEY)
    assert len(signed._good) == CACHED_MAX
    assert not signed.holds(first)


def _numbered(grant: Any, number: int) -> Any:
    return type(grant)(f"jwt_{number}", "", "jwt", None, 0)


def test_what_would_not_be_taken_is_not_made(signed: Signed) -> None:
    grant = signed.verify(text(claims()))
    for wrong in (
        {"expires_at_s": 1},
        {"expires_at_s": 10**12},
        {"expires_at_s": 1_700_000_060, "rps": 0},
    ):
        with pytest.raises(InvalidRequest):
            signed.mint("x", grant.scopes, **wrong)
    made, token = signed.mint("x", grant.scopes, expires_at_s=1_700_000_060, rps=3)
    assert signed.verify(token).scopes == made.scopes
