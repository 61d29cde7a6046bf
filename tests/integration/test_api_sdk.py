"""The SDK and the example pages, as the server gives them to browsers."""

import base64
import gzip
import hashlib
import re
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.config.file import load
from playhead.errors import NotFound
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.serve import shelf
from playhead.serve.app import create_app
from playhead.serve.examples import Examples
from playhead.serve.services import Services
from playhead.store.client import AsyncStoreClient
from playhead.store.location import embedded
from support.source import ROOT

SCRIPT = "var Playhead = {};" * 100
EXAMPLES = ROOT / "examples"
PAGES = sorted(path.name for path in EXAMPLES.glob("*.html"))


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built SDK."""
    folder = tmp_path / "dist"
    (folder / "parts").mkdir(parents=True)
    (folder / "playhead.js").write_text(SCRIPT, "utf-8")
    (folder / "index.js").write_text("import './parts/ab12.js'", "utf-8")
    (folder / "parts" / "ab12.js").write_text("export {}", "utf-8")
    (folder / ".built").write_text("", "utf-8")
    (folder / "secret.key").write_text("", "utf-8")
    monkeypatch.setattr(shelf, "sdk", lambda: folder)
    return folder


@pytest.fixture
async def http(tmp_path: Path) -> AsyncGenerator[httpx2.AsyncClient, None]:
    """An app with the examples on, without a store."""
    settings = {"data.dir": str(tmp_path / "data"), "server.examples": True}
    config, clock = load(overrides=settings).config, ManualClock()
    config.data_dir.mkdir()
    services = Services(
        config=config, clock=clock, store=AsyncStoreClient(embedded(tmp_path)),
        tokens=Tokens(tmp_path / "access.db", clock), log=MemoryLog(config.log, clock),
        ledger=Ledger(tmp_path / "worker.db", writable=False),
    )  # fmt: skip
    transport = httpx2.ASGITransport(create_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://playhead") as client:
        yield client
    services.tokens.close()
    await services.store.close()


@pytest.mark.usefixtures("built")
async def test_any_site_may_load_the_sdk_and_nothing_else(http: httpx2.AsyncClient) -> None:
    script = await http.get("/sdk/playhead.js")
    assert (script.status_code, script.text) == (200, SCRIPT)
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["access-control-allow-origin"] == "*"
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    other = (await http.get("/healthz")).headers
    assert other["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in other


@pytest.mark.usefixtures("built")
async def test_the_sdk_is_compressed_where_the_browser_can(http: httpx2.AsyncClient) -> None:
    async with http.stream(
        "GET", "/sdk/playhead.js", headers={"accept-encoding": "br, gzip"}
    ) as packed:
        raw = b"".join([part async for part in packed.aiter_raw()])
    assert (gzip.decompress(raw).decode(), packed.headers["content-encoding"]) == (SCRIPT, "gzip")
    plain = await http.get("/sdk/playhead.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != packed.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"


async def test_what_the_browser_has_is_not_sent_again_until_it_changes(
    http: httpx2.AsyncClient, built: Path
) -> None:
    tag = (await http.get("/sdk/index.js")).headers["etag"]
    again = await http.get("/sdk/index.js", headers={"if-none-match": f'W/{tag}, "other"'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    (built / "index.js").write_text("import './parts/cd34.js'", "utf-8")
    assert (await http.get("/sdk/index.js", headers={"if-none-match": tag})).status_code == 200


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("name", "age"),
    [
        ("playhead.js", "public, max-age=3600"),
        ("index.js", "public, no-cache"),  # it names parts that the next build has not
        ("parts/ab12.js", "public, max-age=31536000, immutable"),
    ],
)
async def test_how_long_a_file_may_be_kept(http: httpx2.AsyncClient, name: str, age: str) -> None:
    assert (await http.get(f"/sdk/{name}")).headers["cache-control"] == age
    assert (await http.head(f"/sdk/{name}")).status_code == 200


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "name",
    ["none.js", ".built", "secret.key", "parts", "parts/", "", "../data/admin.token", "%2e%2e/dist/index.js",
     "parts/..%2Findex.js", "..%5Cindex.js", "index.js%00", "//etc/hosts.js"],
)  # fmt: skip
async def test_only_the_build_is_served(http: httpx2.AsyncClient, name: str) -> None:
    answer = await http.get(httpx2.URL(f"http://playhead/sdk/{name}"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_link_out_of_the_folder_leads_nowhere(
    http: httpx2.AsyncClient, built: Path
) -> None:
    (built.parent / "outside.js").write_text("secret", "utf-8")
    (built / "link.js").symlink_to(built.parent / "outside.js")
    assert (await http.get("/sdk/link.js")).status_code == 404
    assert (await http.get("/sdk/index.js")).status_code == 200


async def test_an_sdk_that_is_not_built_says_how(
    http: httpx2.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "sdk", lambda: tmp_path / "nowhere")
    answer = await http.get("/sdk/playhead.js")
    assert (answer.status_code, answer.json()["message"]) == (
        404,
        "The SDK for players is not built here.",
    )
    assert "make player" in answer.json()["hint"]


@pytest.mark.parametrize("page", PAGES)
async def test_an_example_loads_only_from_its_own_server(
    http: httpx2.AsyncClient, page: str
) -> None:
    answer = await http.get(f"/examples/{page}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    maps = re.findall(r'<script type="importmap">(.*?)</script>', answer.text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in maps]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert re.findall(r'(?:src|href)="(?:https?:)?//', answer.text) == []
    assert re.findall(r"<script>|<style|style=|\son\w+=", answer.text) == []


async def test_the_folder_of_the_examples_is_their_index(http: httpx2.AsyncClient) -> None:
    away = await http.get("/examples")
    assert (away.status_code, away.headers["location"]) == (307, "examples/")
    index = (await http.get("/examples/")).text
    assert [page for page in PAGES if page != "index.html" and f'href="{page}"' not in index] == []


async def test_examples_are_off_unless_asked_for(tmp_path: Path) -> None:
    examples = Examples(load(overrides={"data.dir": str(tmp_path)}, env={}).config)
    asked = Request({"type": "http", "method": "GET", "headers": [], "path_params": {"file": ""}})
    for answer in (examples.index, examples.file):
        with pytest.raises(NotFound, match="not served here"):
            await answer(asked)


async def test_the_film_is_sent_in_ranges(http: httpx2.AsyncClient, tmp_path: Path) -> None:
    media = tmp_path / "data" / "media"
    media.mkdir()
    (media / "film.mp4").write_bytes(bytes(range(100)))
    part = await http.get("/examples/media/film.mp4", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    tag = part.headers["etag"]
    known = await http.get("/examples/media/film.mp4", headers={"if-none-match": tag})
    assert (known.status_code, part.headers["content-type"]) == (304, "video/mp4")


@pytest.mark.parametrize(
    ("found", "said"), [(None, "apt-get install ffmpeg"), ("ffmpeg", "make examples")]
)
async def test_a_film_that_is_not_made_says_how(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, found: str | None, said: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: found)
    answer = await http.get("/examples/media/nothing.mp4")
    assert answer.status_code == 404
    assert said in answer.json()["hint"]


async def test_no_script_that_makes_things_is_served(http: httpx2.AsyncClient) -> None:
    assert (EXAMPLES / "make_media.py").is_file()
    assert (await http.get("/examples/make_media.py")).status_code == 404
