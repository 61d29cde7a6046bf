"""A wheel holds what the server serves to pages, and is not made without it."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.source import ROOT

COPIED = ("pyproject.toml", "README.md", "LICENSE", "NOTICE", "hatch_build.py", "src", "projects", "examples")  # fmt: skip
STATIC = "playhead/serve/static"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The source folder as git has it, with the player's package named but not built."""
    folder = tmp_path / "source"
    folder.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "media", "lib")
    for name in COPIED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=ignore)
        else:
            shutil.copyfile(path, folder / name)
    (folder / "player").mkdir()
    shutil.copyfile(ROOT / "player" / "package.json", folder / "player" / "package.json")
    return folder


def build(source: Path, target: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", "made"]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("built", "utf-8")


def build_pages(source: Path) -> set[str]:
    """Put files where `make player dashboard` does; return their names in a wheel."""
    package = json.loads((source / "player" / "package.json").read_text("utf-8"))
    entries = [entry for entry in package["exports"].values() if isinstance(entry, dict)]
    made = {f"sdk/{Path(file).name}" for entry in entries for file in entry.values()}
    made |= {"sdk/playhead.js", "sdk/parts/ab12.js", "dashboard/index.html", "examples/lib/versions.json"}  # fmt: skip
    for name in made:
        where = name.replace("sdk/", "player/dist/").replace("dashboard/", "dashboard/dist/")
        write(source / where)
    write(source / "examples" / "media" / "film.mp4")
    return {f"{STATIC}/{name}" for name in made}


def test_a_wheel_holds_the_sdk_the_pages_and_no_film(source: Path) -> None:
    expected = build_pages(source)
    done = build(source, "wheel")
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = (source / "made").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    pages = {f"{STATIC}/examples/{page.name}" for page in (source / "examples").glob("*.html")}
    assert expected | pages | {f"{STATIC}/examples/make_media.py"} <= names
    assert [name for name in names if "/media/" in name] == []


def test_a_wheel_without_the_sdk_is_refused_with_what_to_do(source: Path) -> None:
    done = build(source, "wheel")
    assert done.returncode != 0
    assert "make player dashboard" in done.stderr


def test_an_editable_installation_needs_no_node(source: Path) -> None:
    done = build(source, "wheel:editable")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((source / "made").glob("*.whl"))) == 1
