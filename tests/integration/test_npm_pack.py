"""The package as a stranger gets it: packed, installed into a fresh Vite project, typed and built."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.source import ROOT

PLAYER = ROOT / "player"
REQUIRED = os.environ.get("PLAYHEAD_REQUIRE_PLAYER") == "1"
WITHIN_S = 300
PAGE = """
import {{ createMonitor, html5, monitor, type Config, type Monitor }} from '@playhead/player';
{imports}
const config: Config = {{ endpoint: 'https://metrics.example.org', video: {{ id: 'film' }} }};
const video = document.createElement('video');
const measured: Monitor = monitor(video, config);
const again: Monitor = createMonitor({{ ...config, consent: 'cookieless' }}, [html5(video)]);
// @ts-expect-error: a setting that does not exist
monitor(video, {{ endpoint: '', endpont: '' }});
console.log(measured.viewId, again.state, [{names}]);
"""
pytestmark = pytest.mark.slow


def needed() -> str:
    """Return what is missing to try it, as a sentence; empty where nothing is."""
    if shutil.which("npm") is None:
        return "npm is not on the PATH."
    built = all((PLAYER / file).is_file() for file in (*named("default"), *named("types")))
    return "" if built else "The SDK is not built: make player."


def exports() -> dict[str, dict[str, str]]:
    package = json.loads((PLAYER / "package.json").read_text("utf-8"))
    return {name: to for name, to in package["exports"].items() if isinstance(to, dict)}


def named(kind: str) -> list[str]:
    return [to[kind] for to in exports().values()]


def version_of(package: str, folder: str) -> str:
    found: str = json.loads((ROOT / folder / "package.json").read_text("utf-8"))["devDependencies"][
        package
    ]
    return found


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=WITHIN_S
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packed package."""
    if reason := needed():
        if REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("packed")
    run(PLAYER, "npm", "pack", "--silent", "--pack-destination", str(folder))
    [tarball] = folder.glob("*.tgz")
    return tarball


@pytest.fixture(scope="module")
def project(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh project that has it installed."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"private": true, "type": "module"}', "utf-8")
    tools = [
        f"typescript@{version_of('typescript', 'player')}",
        f"vite@{version_of('vite', 'dashboard')}",
    ]
    run(
        folder, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error", str(packed), *tools
    )
    lines, names = [], []
    for number, name in enumerate(exports()):
        lines.append(f"import * as part{number} from '@playhead/player{name[1:]}';")
        names.append(f"part{number}")
    page = PAGE.format(imports="\n".join(lines), names=", ".join(names))
    (folder / "main.ts").write_text(page, "utf-8")
    html = '<!doctype html><title>A page</title><script type="module" src="/main.ts"></script>'
    (folder / "index.html").write_text(html, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("module", "resolution"), [("esnext", "bundler"), ("nodenext", "nodenext")]
)
def test_every_entry_is_typed_in_a_strict_project(
    project: Path, module: str, resolution: str
) -> None:
    options = {
        "strict": True, "skipLibCheck": False, "exactOptionalPropertyTypes": True, "noEmit": True,
        "target": "es2020", "lib": ["es2022", "dom", "dom.iterable"], "types": [],
        "module": module, "moduleResolution": resolution,
    }  # fmt: skip
    settings = {"compilerOptions": options, "files": ["main.ts"]}
    (project / "tsconfig.json").write_text(json.dumps(settings), "utf-8")
    run(project, "npx", "--no-install", "tsc", "-p", ".")
    assert len(exports()) >= 10


def test_vite_builds_a_page_with_it(project: Path) -> None:
    run(project, "npx", "--no-install", "vite", "build", "--logLevel", "error")
    scripts = [path.read_text("utf-8") for path in (project / "dist" / "assets").glob("*.js")]
    assert any("sendBeacon" in script for script in scripts)
    assert any("indexedDB" in script for script in scripts)  # a part fetched while it plays


def test_the_package_holds_what_it_names_and_no_sources(project: Path) -> None:
    package = project / "node_modules" / "@playhead" / "player"
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert {file[2:] for file in (*named("default"), *named("types"))} <= files
    assert {"README.md", "LICENSE", "dist/playhead.js"} <= files
    assert [name for name in files if name.startswith(("src/", "test/", "scripts/"))] == []
