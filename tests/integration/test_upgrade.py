"""Folders of other releases at the command line: refused untouched, or told what changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from playhead.access import Tokens
from playhead.clock import SystemClock
from playhead.errors import SchemaTooNew
from playhead.runtime.release import FILE, this_release
from support.data_folder import everything, make_folder, raise_version
from support.running_store import launch, running_store


def playhead(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PLAYHEAD_LOG__FREE_SPACE_FLOOR_BYTES": "0"}
    return subprocess.run(
        [sys.executable, "-m", "playhead", *arguments],
        capture_output=True, text=True, timeout=60, check=False, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("command", [["up", "--port", "0"], ["upgrade"], ["upgrade", "--dry-run"]])
def test_a_folder_of_a_newer_release_is_refused_with_a_sentence(
    tmp_path: Path, command: list[str]
) -> None:
    make_folder(tmp_path, SystemClock())
    raise_version(tmp_path / "worker.db")
    before = everything(tmp_path)
    refused = playhead(*command, "--data", str(tmp_path))
    said = f"worker.db has version 2; this release ({this_release().release}) reads 1. Nothing was"
    assert (refused.returncode, said in refused.stderr) == (2, True)
    assert everything(tmp_path) == before


def test_an_earlier_folder_is_brought_to_this_release(tmp_path: Path) -> None:
    make_folder(tmp_path, SystemClock())
    (tmp_path / FILE).unlink()
    before = everything(tmp_path)
    told = playhead("upgrade", "--dry-run", "--data", str(tmp_path))
    assert "a release that left no word of itself" in told.stdout
    assert everything(tmp_path) == before
    assert playhead("upgrade", "--data", str(tmp_path)).stdout.endswith("Done.\n")
    told = playhead("upgrade", "--dry-run", "--data", str(tmp_path))
    assert "Nothing changes." in told.stdout


def test_tables_of_a_newer_release_are_refused_by_the_store_too(tmp_path: Path) -> None:
    newer = this_release().formats["store"] + 1
    with running_store(tmp_path) as store:
        store.client.command(
            f"INSERT INTO schema_migrations (number, name) VALUES ({newer}, 'later.sql')"
        )
        store.end()
    process = launch(tmp_path, {"quiet": 1})
    assert process.stderr is not None
    said = process.communicate(timeout=60)[1].decode()
    assert (process.returncode, f"The store is at migration {newer}" in said) == (3, True)


def test_tokens_of_a_newer_release_are_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "access.db"
    Tokens(path, SystemClock()).close()
    raise_version(path)
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match="version 2; this release reads 1"):
        Tokens(path, SystemClock())
    assert path.read_bytes() == before
