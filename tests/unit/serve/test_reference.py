from pathlib import Path

import httpx2
import pytest

from playhead.config import Config
from playhead.serve.reference import Reference
from support.shelf_client import shelf_client


def client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> httpx2.AsyncClient:
    return shelf_client(lambda: Reference(Config()).routes(), folder, monkeypatch)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.html").write_text("<title>the reference</title>")
    (tmp_path / "docs" / "page.js").write_text("SwaggerUIBundle({})")
    (tmp_path / "secret.txt").write_text("not for anybody")
    return tmp_path


async def test_the_page_may_load_this_servers_files_only(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(built, monkeypatch) as http:
        page = await http.get("/docs")
        part = await http.get("/docs/page.js")
        again = await http.get("/docs/page.js", headers={"if-none-match": part.headers["etag"]})
    policy = page.headers["content-security-policy"]
    assert "the reference" in page.text
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert part.headers["content-type"].startswith("text/javascript")
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/docs/nope.js", "/docs/..%2fsecret.txt", "/docs/.hidden.js"])
async def test_what_is_not_there(path: str, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with client(built, monkeypatch) as http:
        assert (await http.get(path)).status_code == 404


async def test_where_it_is_not_built_it_says_so_and_the_rest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, monkeypatch) as http:
        page = await http.get("/docs")
        errors = await http.get("/docs/errors")
        document = await http.get("/openapi.json")
    assert (page.status_code, "make dashboard" in page.json()["hint"]) == (404, True)
    assert "project_invalid" in errors.text
    assert document.json()["openapi"] == "3.1.0"


def test_the_page_names_nothing_of_other_hosts() -> None:
    folder = Path(__file__).parents[3] / "dashboard" / "public" / "docs"
    text = "".join(path.read_text() for path in folder.iterdir())
    assert "://" not in text
    assert "validatorUrl: null" in text
