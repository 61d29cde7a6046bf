"""Data folders of earlier releases, opened by this one: nothing they held is lost or told otherwise."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from migration.make_fixture import BYTES_MAX, FOLDERS, unpacked
from migration.questions import KEEP, asked, lost
from support.data_folder import everything
from support.server import Server

KEPT = sorted(FOLDERS.glob("*.json"))


def upgrade(folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "playhead", "upgrade", "--json", "--data", str(folder)]
    done = subprocess.run(
        [*command, *options], env={**os.environ, **KEEP}, capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_folder_of_an_earlier_release_answers_as_it_did(path: Path, tmp_path: Path) -> None:
    kept = json.loads(path.read_text("utf-8"))
    folder = tmp_path / "data"
    unpacked(path.with_suffix(".tar.zst").read_bytes(), folder)
    before = everything(folder)
    assert upgrade(folder, "--dry-run")["found"] == kept["release"]
    assert everything(folder) == before
    with Server(folder, env=KEEP) as server:
        server.wait_until_stored()
        assert lost(kept["answers"], asked(server, kept["start_ms"])) == []
    assert upgrade(folder, "--dry-run")["changes"] == []


def test_folders_are_kept_small_and_name_no_machine() -> None:
    archives = sorted(FOLDERS.glob("*.tar.zst"))
    assert [one.name.removesuffix(".tar.zst") for one in archives] == [one.stem for one in KEPT]
    assert all(one.stat().st_size <= BYTES_MAX for one in archives)
    assert KEPT
