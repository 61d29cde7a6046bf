"""The `tb` client in an environment of its own: nothing of it is ever imported here."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from compat.client import Client
from support.server import Server
from support.source import ROOT

REQUIREMENTS = ROOT / "requirements/tb.txt"
CACHE = ROOT / ".cache/tb-venv"
REQUIRED = os.environ.get("PLAYHEAD_REQUIRE_TB") == "1"
WITHIN_S = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here; one process of a parallel run does it all, on one server."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.compat)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("tb"))


@pytest.fixture(scope="session")
def tb() -> Path:
    """The program, made once a lock file."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = CACHE / f"{digest}-{sys.version_info.major}.{sys.version_info.minor}"
    program = folder / "bin/tb"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".ready").exists():
            said = installed(folder)
            if said:
                shutil.rmtree(folder, ignore_errors=True)
                sentence = f"The tb client could not be installed: {said}"
                pytest.fail(sentence) if REQUIRED else pytest.skip(sentence)
            (folder / ".ready").touch()
    return program


def installed(folder: Path) -> str:
    """Install the client into a folder; return what went wrong, "" if nothing did."""
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    pip += ["--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    try:
        for command in ([sys.executable, "-m", "venv", str(folder)], pip):
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=WITHIN_S, check=False
            )
            if done.returncode:
                return (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    env = {"PLAYHEAD_SERVER__TB_LOCAL": "true", "PLAYHEAD_PIPES__MAX_WORKSPACES": "50"}
    with Server(tmp_path_factory.mktemp("tb") / "data", env=env) as running:
        yield running


@pytest.fixture(scope="module")
def main(tb: Path, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A `tb` in the folder that was built first: the server's own project."""
    client = Client(tb, server, tmp_path_factory.mktemp("main"))
    said = client.call("build")
    assert said.code == 0, said.text
    assert "endpoints/top.pipe created" in said.text
    assert "Error" not in said.text
    return client


@pytest.fixture
def client(main: Client, tmp_path: Path) -> Client:
    """A `tb` with a home of its own and a project in a folder of its own, not built yet."""
    return Client(main.program, main.server, tmp_path)


@pytest.fixture
def built(client: Client) -> Client:
    """The same, built: in a workspace of its own."""
    said = client.call("build")
    assert said.code == 0, said.text
    return client
