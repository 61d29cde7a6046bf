from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from playhead.serve.dashboard import Dashboard
from support.shelf_client import shelf_client


def client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> httpx2.AsyncClient:
    return shelf_client(lambda: Dashboard().routes(), folder, monkeypatch)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>the dashboard</title>")
    (tmp_path / "assets" / "index-1.js").write_text("export {}")
    (tmp_path / "secret.txt").write_text("not for anybody")
    return tmp_path


async def test_what_is_not_built_is_the_plain_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, monkeypatch) as http:
        page = await http.get("/")
        part = await http.get("/assets/index-1.js")
    assert page.headers["content-security-policy"].count("'sha256-") == 2
    assert (part.status_code, "load the page again" in part.json()["hint"]) == (404, True)


async def test_the_built_page_may_load_this_servers_files_only(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(built, monkeypatch) as http:
        page = await http.get("/")
    policy = page.headers["content-security-policy"]
    assert "the dashboard" in page.text
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


async def test_parts_are_kept_for_good_and_the_page_is_not(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(built, monkeypatch) as http:
        part = await http.get("/assets/index-1.js")
        page = await http.get("/")
    assert "immutable" in part.headers["cache-control"]
    assert page.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/..%2Fsecret.txt",
        "/assets/../secret.txt",
        "/assets/%2e%2e",
        f"/assets/{'a' * 999}.js",
    ],
)
async def test_nothing_beside_the_parts_is_told(
    built: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async with client(built, monkeypatch) as http:
        assert (await http.get(path)).status_code == 404


async def test_below_a_prefix_the_page_knows_what_its_addresses_are_relative_to(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (built / "index.html").write_text("<html><head><title>the dashboard</title></head></html>")
    async with client(built, monkeypatch) as http:
        plain = await http.get("/")
    app = Starlette(routes=list(Dashboard().routes()))
    transport = httpx2.ASGITransport(app, root_path="/shop")
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as http:
        below = await http.get("/shop/")
    assert "<base" not in plain.text
    assert '<head><base href="/shop/"><title>' in below.text
    assert plain.headers["etag"] != below.headers["etag"]
