"""Browser sessions over HTTP: the cookie, what it opens, and whose page may use it."""

from http.cookies import SimpleCookie
from typing import Any

import httpx2
import pytest

from support.answering import Answering, answering
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]

PATH = "/v1/session"
COOKIE = "playhead_session"
OURS = {"sec-fetch-site": "same-origin"}
OTHERS = {"sec-fetch-site": "cross-site"}


async def begin(api: Answering, token: str = "", **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    api.http.cookies.clear()
    return await api.http.post(PATH, json={"token": token or api.admin}, headers=named)


def cookie_of(response: httpx2.Response) -> Any:
    return SimpleCookie(response.headers["set-cookie"])[COOKIE]


async def test_the_cookie_is_out_of_reach_of_pages(api: Answering) -> None:
    cookie = cookie_of(await begin(api))
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/")
    assert cookie["max-age"] == str(api.config.query.session_ms // 1000)
    assert cookie["secure"] == ""
    assert cookie["domain"] == ""


async def test_behind_https_it_goes_by_https_only(api: Answering) -> None:
    assert cookie_of(await begin(api, x_forwarded_proto="https"))["secure"] is True
    away = httpx2.ASGITransport(api.app, client=("203.0.113.9", 1))
    async with httpx2.AsyncClient(transport=away, base_url="http://playhead") as http:
        head = {"x-forwarded-proto": "https", "authorization": f"Bearer {api.admin}"}
        assert cookie_of(await http.post(PATH, headers=head))["secure"] == ""


async def test_below_a_path_it_stays_there(api: Answering) -> None:
    below = httpx2.ASGITransport(api.app, root_path="/stats")
    async with httpx2.AsyncClient(transport=below, base_url="http://playhead") as http:
        head = {"authorization": f"Bearer {api.admin}"}
        response = await http.post("/stats/v1/session", headers=head)
    assert cookie_of(response)["path"] == "/stats"


async def test_the_cookie_opens_what_its_token_opens(api: Answering) -> None:
    began = await begin(api, api.token("read", "shop"))
    assert began.status_code == 201
    assert (await api.http.get("/v1/metrics")).status_code == 200
    data = (await api.http.get(PATH)).json()["data"]
    assert (data["kind"], data["property"]) == ("read", "shop")
    assert data == began.json()["data"]


async def test_a_token_by_header_begins_a_session_too(api: Answering) -> None:
    response = await api.http.post(PATH, headers={"authorization": f"Bearer {api.admin}"})
    assert response.status_code == 201
    asked = await api.http.get(PATH, headers={"authorization": f"Bearer {api.admin}"})
    assert asked.json()["data"]["expires_at"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 401),
        (b"{}", 401),
        (b'{"token":"x"}', 401),
        (b"[", 400),
        (b'{"token":"\xff"}', 400),
        (b"x" * 5_000, 413),
    ],
)
async def test_without_a_good_token_there_is_no_session(
    api: Answering, body: bytes, status: int
) -> None:
    response = await api.http.post(PATH, content=body)
    assert response.status_code == status
    assert "set-cookie" not in response.headers


async def test_a_write_token_gets_no_session(api: Answering) -> None:
    response = await begin(api, api.token("write"))
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


async def test_a_session_that_ended_opens_nothing(api: Answering) -> None:
    await begin(api)
    cookie = {"cookie": f"{COOKIE}={api.http.cookies[COOKIE]}"}
    ended = await api.http.delete(PATH, headers=OURS)
    assert (ended.json()["data"], cookie_of(ended)["max-age"]) == ({"ended": True}, "0")
    api.http.cookies.clear()
    response = await api.http.get("/v1/metrics", headers=cookie)
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")


async def test_a_new_session_ends_the_one_before(api: Answering) -> None:
    await begin(api)
    before = {"cookie": f"{COOKIE}={api.http.cookies[COOKIE]}"}
    await api.http.post(PATH, json={"token": api.admin})
    api.http.cookies.clear()
    assert (await api.http.get(PATH, headers=before)).status_code == 401


async def test_a_session_ends_with_its_token_and_its_time(api: Answering) -> None:
    grant, secret = api.tokens.create("read")
    await begin(api, secret)
    api.tokens.revoke(grant.id)
    assert (await api.http.get("/v1/metrics")).status_code == 401
    await begin(api)
    api.clock.advance(api.config.query.session_ms)
    assert (await api.http.get("/v1/metrics")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 503),
        ({"origin": "http://playhead"}, 503),
        (OTHERS, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://playhead.example.net"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_only_our_own_pages_change_something_by_cookie(
    api: Answering, headers: dict[str, str], status: int
) -> None:
    await begin(api)
    # 503: it was let in; this process writes no log.
    response = await api.http.post("/v1/quarantine/retry", headers=headers, content=b"{}")
    assert response.status_code == status


async def test_a_token_needs_no_page(api: Answering) -> None:
    head = {"authorization": f"Bearer {api.admin}"} | OTHERS
    response = await api.http.post("/v1/quarantine/retry", headers=head, content=b"{}")
    assert response.status_code == 503


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_another_sites_page_begins_and_ends_no_session(api: Answering, method: str) -> None:
    await begin(api)
    head = {"authorization": f"Bearer {api.admin}"} | OTHERS
    response = await api.http.request(method, PATH, headers=head)
    assert response.status_code == 403
    assert (await api.http.get(PATH)).status_code == 200


async def test_the_number_of_sessions_has_a_limit(store: RunningStore, tmp_path: Any) -> None:
    async with answering(store, tmp_path, max_sessions=1) as api:
        await begin(api)
        kept = dict(api.http.cookies)
        refused = await begin(api, api.token("read"))
        head = {"cookie": f"{COOKIE}={kept[COOKIE]}"}
        assert (await api.http.get(PATH, headers=head)).status_code == 200
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
