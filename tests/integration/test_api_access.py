"""Who may ask what: tokens, properties, hostile parameters, errors."""

import asyncio
import time
from typing import Any

import pytest

from support.answering import Answering, answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]

HOSTILE = (
    "'", '"', "\\", "`", ";", "--", "x' OR 1=1 --", "') UNION ALL SELECT 1 --", "{p0:String}",
    "%27", "\x00", "a\tb\nc", "\\'; DROP TABLE playhead.views; --", "💥", "x) SETTINGS readonly=0",
    "file('/etc/passwd')", "9" * 400,
)  # fmt: skip
PATHS = (
    "/v1/metrics/views/overall", "/v1/metrics/startup_time/timeseries",
    "/v1/metrics/views/breakdown", "/v1/metrics/concurrent_viewers/timeseries",
    "/v1/live", "/v1/views", "/v1/metrics/cdn_ttfb/timeseries", "/v1/cdn/kpis", "/v1/cdn/views",
    "/v1/streams",
)  # fmt: skip
PARAMETERS = (
    "from", "to", "interval", "timezone", "group_by", "filters", "measurement", "limit", "order",
    "cursor", "minutes", "format", "nonsense",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_hostile_parameters_are_refused_or_find_nothing(
    api: Answering, store: RunningStore, path: str
) -> None:
    insert_views(store, view_row())
    plain = {"group_by": "cdn"} if path.endswith("breakdown") else {}
    for name in PARAMETERS:
        for text in HOSTILE:
            for value in (text, f"cdn:{text}", f"custom.{text}:x", f"!{text}:x"):
                response = await api.get(path, **(plain | {f"{name}_": value}))
                assert response.status_code in {200, 400}, (name, value, response.text)
                if response.status_code == 400:
                    assert set(response.json()) == {"code", "message", "hint", "docs"}
    assert (await api.data("/v1/metrics/views/overall"))["value"] == 1


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_value_is_found_as_itself(
    api: Answering, store: RunningStore, text: str
) -> None:
    insert_views(store, view_row(video_title=text), view_row(video_title="other"))
    data = await api.data("/v1/metrics/views/breakdown", group_by="video_title",
                          filters=f"video_title:{text}")  # fmt: skip
    assert data == [{"group": text, "value": 1, "views": 1}]
    assert (await api.get(f"/v1/views/{text.encode().hex()}")).status_code == 404


async def test_a_token_of_a_property_sees_nothing_else(api: Answering, store: RunningStore) -> None:
    mine = "it's \\ mine"
    insert_views(store, view_row(property=mine, view_id="a"), view_row(property="b", view_id="b"))
    token = api.token("read", mine)
    for path, params in (
        ("/v1/metrics/views/breakdown", {"group_by": "property"}),
        ("/v1/metrics/views/breakdown", {"group_by": "property", "filters": ["property:b", f"property:{mine}"]}),
        ("/v1/metrics/concurrent_viewers/breakdown", {"group_by": "property"}),
    ):  # fmt: skip
        rows = await api.data(path, token=token, **params)
        assert [row["group"] for row in rows] == [mine]
    live = await api.data("/v1/live", token=token, group_by="property")
    assert {row["group"] for row in live} == {mine}
    assert [row["view_id"] for row in await api.data("/v1/views", token=token)] == ["a"]
    assert (await api.get("/v1/views/b", token=token)).status_code == 404
    assert (await api.get("/v1/views/a", token=token)).status_code == 200


async def test_tokens_open_what_their_kind_may(api: Answering) -> None:
    expected = {"": 401, "wrong": 401, api.token("write", "p"): 403, api.token("read"): 200}
    for token, status in expected.items():
        assert (await api.get("/v1/metrics", token=token)).status_code == status
    response = await api.http.get("/v1/metrics", params={"token": api.admin})
    assert response.status_code == 200


async def test_only_the_whole_servers_admin_sees_its_inside(api: Answering) -> None:
    assert "disk" in await api.data("/v1/status")
    for token in (api.token("read"), api.token("admin", "p")):
        assert set(await api.data("/v1/status", token=token)) == {"version", "lag"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/metrics/nothing/overall", 404, "not_found"),
        ("GET", "/v1/metrics/views/nothing", 404, "not_found"),
        ("POST", "/v1/metrics", 405, "method_not_allowed"),
        ("GET", "/v1/metrics/views/breakdown", 400, "invalid_request"),
        ("GET", "/v1/metrics/views/timeseries?interval=1m&from=-30d", 400, "invalid_request"),
        ("GET", "/v1/metrics/views/overall?from=now", 400, "invalid_request"),
        ("GET", "/v1/views?limit=0", 400, "invalid_request"),
        ("GET", "/v1/views?filters=" + "x" * 20_000, 400, "invalid_request"),
    ],
)
async def test_errors_have_one_shape(
    api: Answering, method: str, path: str, status: int, code: str
) -> None:
    headers = {"authorization": f"Bearer {api.admin}"}
    response = await api.http.request(method, path, headers=headers)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert set(response.json()) == {"code", "message", "hint", "docs"}
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_result_over_its_limit_is_refused(store: RunningStore, tmp_path: Any) -> None:
    async with answering(store, tmp_path, max_result_rows=3) as api:
        insert_views(store, *(view_row(cdn=str(n)) for n in range(9)))
        response = await api.get("/v1/metrics/views/breakdown", group_by="cdn")
        assert (response.status_code, response.json()["code"]) == (413, "result_too_large")


async def test_a_token_has_a_rate(store: RunningStore, tmp_path: Any) -> None:
    async with answering(store, tmp_path, requests_per_minute_per_token=3) as api:
        statuses = [(await api.get("/v1/metrics")).status_code for _ in range(4)]
        refused = await api.get("/v1/metrics")
    assert statuses == [200, 200, 200, 429]
    assert int(refused.headers["retry-after"]) >= 1


async def test_a_store_that_is_gone_is_said_so(tmp_path: Any) -> None:
    from support.running_store import running_store  # noqa: PLC0415

    with running_store(tmp_path / "gone") as other:
        async with answering(other, tmp_path) as api:
            other.end()
            response = await api.get("/v1/metrics/views/overall")
            ready = await api.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
    assert ready.status_code == 503
    assert ready.json()["data"]["reasons"][0] == "The store does not answer."


async def test_a_caller_who_goes_away_ends_the_query(api: Answering, store: RunningStore) -> None:
    insert_views(store, view_row())
    asked = asyncio.Event()
    cancelled: list[bool] = []

    async def endless(*_: Any, **__: Any) -> Any:
        asked.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    api.store.rows = endless  # type: ignore[method-assign]
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await asked.wait()
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        return None

    scope = {
        "type": "http", "method": "GET", "path": "/v1/metrics/views/overall", "headers": [],
        "query_string": f"token={api.admin}".encode(), "root_path": "", "scheme": "http",
        "server": ("x", 80), "client": ("x", 1), "http_version": "1.1",
    }  # fmt: skip
    began = time.monotonic()
    await api.app(scope, receive, send)
    assert cancelled == [True]
    assert time.monotonic() - began < 30
