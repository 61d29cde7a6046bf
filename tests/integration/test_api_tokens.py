"""Tokens over HTTP: made, shown, changed, refreshed, removed, and nothing given away."""

from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from playhead.access import Tokens
from support.answering import Answering
from support.api_fixtures import api, store

__all__ = ["api", "store"]

PATH = "/v0/tokens"


@pytest.fixture(autouse=True)
def admin_file(api: Answering) -> str:
    """The workspace's admin token, as a started server has it."""
    folder = api.tokens.path.parent
    api.tokens.ensure_admin(folder)
    return (folder / "admin.token").read_text().strip()


async def ask(
    api: Answering, method: str, path: str, *, token: str = "", **more: Any
) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token or api.admin}"}
    return await api.http.request(method, path, headers=headers, **more)


async def make(api: Answering, name: str, *scopes: str, token: str = "") -> dict[str, Any]:
    response = await ask(api, "POST", PATH, token=token, params={"name": name, "scope": scopes})
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    return made


async def test_a_token_is_made_and_shown_once(api: Answering) -> None:
    made = await make(api, "wall", "PIPES:READ:top_titles", "DATASOURCES:READ:plays:country = 'DE'")
    assert api.tokens.resolve(made["token"]) is not None
    listed = await ask(api, "GET", PATH)
    assert made["token"] not in listed.text
    [shown] = [one for one in listed.json()["tokens"] if one["name"] == "wall"]
    assert shown["scopes"] == [
        {"type": "PIPES:READ", "resource": "top_titles"},
        {"type": "DATASOURCES:READ", "resource": "plays", "filter": "country = 'DE'"},
    ]


@pytest.mark.parametrize("by", ["id", "name"])
async def test_a_token_is_found_by(api: Answering, by: str) -> None:
    made = await make(api, "a wall/of ours", "PIPES:READ:top_titles")
    shown = (await ask(api, "GET", f"{PATH}/{made[by]}")).json()
    assert shown["id"] == made["id"]
    assert not shown.get("token")


async def test_refreshed_the_old_secret_stops_at_once(api: Answering) -> None:
    made = await make(api, "wall", "TOKENS")
    fresh = (await ask(api, "POST", f"{PATH}/wall/refresh")).json()
    assert (await ask(api, "GET", PATH, token=made["token"])).status_code == 403
    assert (await ask(api, "GET", PATH, token=fresh["token"])).status_code == 200
    assert fresh["id"] == made["id"]


async def test_changed_it_keeps_its_secret(api: Answering) -> None:
    made = await make(api, "wall", "PIPES:READ:top_titles")
    params = {"name": "door", "scope": ["TOKENS"]}
    assert (await ask(api, "PUT", f"{PATH}/wall", params=params)).json()["name"] == "door"
    grant = api.tokens.resolve(made["token"])
    assert grant is not None
    assert grant.may("TOKENS")
    assert not grant.may("PIPES:READ", "top_titles")


async def test_removed_it_is_gone(api: Answering) -> None:
    made = await make(api, "wall", "TOKENS")
    assert (await ask(api, "DELETE", f"{PATH}/{made['id']}")).json() == {"ok": True}
    assert (await ask(api, "GET", PATH, token=made["token"])).status_code == 403
    assert (await ask(api, "GET", f"{PATH}/wall")).status_code == 404


async def test_an_unknown_token_is_told_so_in_the_words_of_v0(api: Answering) -> None:
    response = await ask(api, "GET", PATH, token="ph_read_unknown")  # noqa: S106
    assert response.status_code == 403
    said = response.json()
    assert said["error"] == "This token is not known, or no longer."
    assert said["documentation"] == "/docs/errors#unauthenticated"


@pytest.mark.parametrize("scope", ["PIPES:READ:top_titles", "WORKSPACE:READ_ALL"])
async def test_without_tokens_it_manages_none(api: Answering, scope: str) -> None:
    made = await make(api, "wall", scope)
    for method, path in (("GET", PATH), ("POST", PATH), ("DELETE", f"{PATH}/wall")):
        assert (await ask(api, method, path, token=made["token"])).status_code == 403
    shown = await ask(api, "GET", f"{PATH}/wall", token=made["token"])
    assert shown.json()["name"] == "wall"  # of itself it may know


OWN = ("TOKENS", "PIPES:READ:top_titles", "DATASOURCES:READ:plays:country = 'DE'")


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (["TOKENS"], 200),
        (["PIPES:READ:top_titles"], 403),  # without the filter it would show more
        (["PIPES:READ:top_titles", OWN[2]], 200),
        ([OWN[2]], 200),
        (["DATASOURCES:READ:plays"], 403),
        (["DATASOURCES:READ:plays:1"], 403),
        (["DATASOURCES:READ:plays:country='DE' OR 1"], 403),
        ([OWN[2], "DATASOURCES:READ:plays:age > 17"], 200),
        (["PIPES:READ:other", OWN[2]], 403),
        (["ADMIN"], 403),
        (["WORKSPACE:READ_ALL"], 403),
        (["DATASOURCES:APPEND:plays"], 403),
    ],
)
async def test_nobody_gives_more_than_it_has(api: Answering, scope: list[str], status: int) -> None:
    giver = (await make(api, "giver", *OWN))["token"]
    params = {"name": "given", "scope": scope}
    assert (await ask(api, "POST", PATH, token=giver, params=params)).status_code == status
    until = api.clock.now_ms() // 1000 + 60
    if set(scope) & {"TOKENS"}:
        return
    minted = await ask(api, "POST", PATH, token=giver, params={**params, "expiration_time": until})
    assert (minted.status_code == 200) == (status == 200)


async def test_nobody_takes_over_a_token_that_may_do_more(api: Answering) -> None:
    giver = (await make(api, "giver", *OWN))["token"]
    await make(api, "more", "DATASOURCES:READ:plays")
    for method, path in (
        ("PUT", f"{PATH}/more"), ("DELETE", f"{PATH}/more"), ("POST", f"{PATH}/more/refresh"),
        ("POST", f"{PATH}/admin.token/refresh"), ("GET", f"{PATH}/more"),
    ):  # fmt: skip
        assert (await ask(api, method, path, token=giver)).status_code == 404, (method, path)
    names = [one["name"] for one in (await ask(api, "GET", PATH, token=giver)).json()["tokens"]]
    assert names == ["giver"]


async def test_an_admin_token_stays(api: Answering, admin_file: str) -> None:
    for one in api.tokens.list():
        if one.name != "admin.token":
            api.tokens.revoke(one.id)
    for method in ("DELETE", "PUT"):
        response = await ask(
            api, method, f"{PATH}/admin.token", token=admin_file, params={"scope": "TOKENS"}
        )
        assert response.status_code == 409
    assert (await ask(api, "GET", PATH, token=admin_file)).status_code == 200


@pytest.mark.parametrize(
    "params",
    [
        {}, {"name": ""}, {"name": "x"}, {"name": "x", "scope": "PIPES:WRITE:a"},
        {"name": "n" * 201, "scope": "TOKENS"}, {"name": "admin.token", "scope": "TOKENS"},
        {"name": "x", "scope": "DATASOURCES:READ:*"}, {"name": "x", "scope": "TOKENS:a"},
        {"name": "x", "scope": "DATASOURCES:READ:plays:a = 1; DROP TABLE plays"},
        {"name": "x", "scope": "DATASOURCES:READ:plays:a IN (SELECT 1)"},
        {"name": "x", "scope": "DATASOURCES:READ:plays:sleep(3) = 0"},
        {"name": "x", "scope": "DATASOURCES:READ:plays:getMacro('x') = ''"},
        {"name": "x", "scope": "DATASOURCES:READ:plays:a = 1 b = 2"},
        {"name": "x", "scope": "DATASOURCES:READ:plays:hostName() = 'a'"},
        {"name": "x", "scope": "DATASOURCES:READ:plays:" + "a" * 5_000},
        {"name": "x", "scope": "PIPES:READ:p", "expiration_time": "soon"},
        {"name": "x", "scope": "PIPES:READ:p", "expiration_time": "1"},
        {"name": "x", "scope": "TOKENS", "expiration_time": "4000000000"},
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(api: Answering, params: dict[str, str]) -> None:
    before = len(api.tokens.list())
    response = await ask(api, "POST", PATH, params=params)
    assert response.status_code == 400, response.text
    assert response.json()["error"]
    assert len(api.tokens.list()) == before


async def test_names_are_unique(api: Answering) -> None:
    await make(api, "wall", "TOKENS")
    response = await ask(api, "POST", PATH, params={"name": "wall", "scope": "TOKENS"})
    assert (response.status_code, response.json()["code"]) == (409, "conflict")


def claims(api: Answering, **more: Any) -> dict[str, Any]:
    return {
        "workspace_id": api.tokens.workspace_id, "name": "viewer",
        "exp": api.clock.now_ms() // 1000 + 60,
        "scopes": [{"type": "PIPES:READ", "resource": "top_titles"}],
    } | more  # fmt: skip


async def test_a_jwt_of_the_server_and_one_of_a_client_are_the_same(
    api: Answering, admin_file: str
) -> None:
    body = {"scopes": [{"type": "PIPES:READ", "resource": "p", "fixed_params": {"org": 7}}]}
    params = {"name": "viewer", "expiration_time": api.clock.now_ms() // 1000 + 60}
    minted = (await ask(api, "POST", PATH, params=params, json=body)).json()
    ours = api.tokens.resolve(minted["token"])
    theirs = api.tokens.resolve(
        jwt.encode(claims(api, scopes=body["scopes"]), admin_file, algorithm="HS256")
    )
    assert ours is not None
    assert theirs is not None
    assert ours.fixed_params("p") == theirs.fixed_params("p") == {"org": "7"}
    assert ours.expires_at == theirs.expires_at


async def test_a_new_admin_secret_ends_every_jwt(api: Answering, admin_file: str) -> None:
    signed = jwt.encode(claims(api), admin_file, algorithm="HS256")
    assert api.tokens.resolve(signed) is not None
    fresh = (await ask(api, "POST", f"{PATH}/admin.token/refresh")).json()["token"]
    said = (await ask(api, "GET", PATH, token=signed)).json()
    assert "not signed by this workspace" in said["error"]
    again = jwt.encode(claims(api), fresh, algorithm="HS256")
    assert api.tokens.resolve(again) is not None


async def test_a_rotation_by_another_process_is_heard_within_a_second(
    api: Answering, admin_file: str
) -> None:
    signed = jwt.encode(claims(api), admin_file, algorithm="HS256")
    assert (await ask(api, "GET", PATH, token=signed)).json()["error"].startswith("This token may")
    other = Tokens(api.tokens.path, api.clock)
    other.refresh("admin.token")
    other.close()
    api.clock.advance(1_000)
    assert "not signed" in (await ask(api, "GET", PATH, token=signed)).json()["error"]


async def test_more_requests_than_its_rps_are_429(api: Answering, admin_file: str) -> None:
    signed = jwt.encode(claims(api, limits={"rps": 3}), admin_file, algorithm="HS256")
    answers = [await ask(api, "GET", PATH, token=signed) for _ in range(5)]
    assert [one.status_code for one in answers] == [403, 403, 403, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"
    api.clock.advance(2_000)
    assert (await ask(api, "GET", PATH, token=signed)).status_code == 403


async def test_tokens_with_scopes_do_not_reach_v1(api: Answering) -> None:
    few = await make(api, "few", "PIPES:READ:top_titles", "TOKENS")
    every = await make(api, "every", "WORKSPACE:READ_ALL")
    hidden = await make(api, "hidden", "WORKSPACE:READ_ALL", "DATASOURCES:READ:playhead.views:1")
    statuses = [
        (await api.get("/v1/metrics", token=one["token"])).status_code
        for one in (few, every, hidden)
    ]
    assert statuses == [403, 200, 403]
    began = await api.http.post("/v1/session", json={"token": few["token"]})
    assert began.status_code == 403


async def test_no_secret_is_in_the_folder(api: Answering) -> None:
    made = await make(api, "wall", "TOKENS")
    folder: Path = api.tokens.path.parent
    found = [one for one in folder.rglob("*") if one.is_file() and one.name != "admin.token"]
    assert found
    assert [one for one in found if made["token"].encode() in one.read_bytes()] == []


@pytest.mark.parametrize(
    ("kind", "property_"), [("read", None), ("write", "site"), ("admin", None)]
)
async def test_an_admin_makes_a_token_of_a_kind(
    api: Answering, kind: str, property_: str | None
) -> None:
    params = {"name": "wall", "kind": kind} | ({"property": property_} if property_ else {})
    response = await ask(api, "POST", PATH, params=params)
    assert response.status_code == 200, response.text
    made = response.json()
    assert (made["kind"], made["property"]) == (kind, property_)
    grant = api.tokens.resolve(made["token"])
    assert grant is not None
    assert (grant.kind, grant.property, grant.name) == (kind, property_, "wall")


@pytest.mark.parametrize(
    "params",
    [
        {"kind": "scoped"},
        {"kind": "read", "scope": "TOKENS"},
        {"kind": "read", "rps": "3"},
        {"kind": "read", "expiration_time": "9999999999"},
        {"property": "site"},
        {"property": "site", "scope": "TOKENS"},
        {"kind": "read", "property": "a/b"},
        {"kind": "read", "property": ""},
        {"property": ""},
        {"kind": "read", "name": ""},
    ],
)
async def test_what_is_no_token_of_a_kind(api: Answering, params: dict[str, str]) -> None:
    response = await ask(api, "POST", PATH, params={"name": "wall", **params})
    assert response.status_code == 400, response.text
    assert [one for one in api.tokens.list() if one.name == "wall"] == []


async def test_a_token_keeps_its_kind_and_property(api: Answering) -> None:
    await make(api, "door", "TOKENS")
    for params in ({"kind": "admin"}, {"property": "site"}):
        response = await ask(api, "PUT", f"{PATH}/door", params=params)
        assert response.status_code == 400, response.text


async def test_only_an_admin_makes_a_token_of_a_kind(api: Answering) -> None:
    scoped = (await make(api, "door", "TOKENS"))["token"]
    for token in (scoped, api.token("read"), api.token("admin", "site")):
        response = await ask(
            api, "POST", PATH, token=token, params={"name": "wall", "kind": "admin"}
        )
        assert response.status_code == 403, response.text
