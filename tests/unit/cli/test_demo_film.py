import shutil
import time
from pathlib import Path

import pytest

from playhead.cli.demo_film import Film
from playhead.serve import shelf

MAKER = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
folder.mkdir()
(folder / "begun").touch()
time.sleep({seconds})
(folder / "made.json").touch()
"""


def film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, seconds: float, ffmpeg: bool = True
) -> Film:
    pages, data = tmp_path / "examples", tmp_path / "data"
    for folder in (pages, data):
        folder.mkdir()
    (pages / "make_media.py").write_text(MAKER.format(seconds=seconds), "utf-8")
    monkeypatch.setattr(shelf, "examples", lambda: pages)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/ffmpeg" if ffmpeg else None)
    return Film(data)


def seen(path: Path, within_s: float = 10.0) -> bool:
    until = time.monotonic() + within_s
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.01)
    return path.exists()


def test_the_film_is_made_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = film(tmp_path, monkeypatch, seconds=0)
    made.start()
    assert seen(tmp_path / "data" / "media" / "made.json")
    made.stop()


def test_a_demo_that_ends_does_not_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = film(tmp_path, monkeypatch, seconds=60)
    made.start()
    assert seen(tmp_path / "data" / "media" / "begun")
    begun = time.monotonic()
    made.stop()
    assert time.monotonic() - begun < 5
    assert not (tmp_path / "data" / "media" / "made.json").exists()


def test_without_ffmpeg_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = film(tmp_path, monkeypatch, seconds=0, ffmpeg=False)
    made.start()
    assert made._process is None
    made.stop()


def test_a_film_beside_the_pages_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = film(tmp_path, monkeypatch, seconds=0)
    beside = tmp_path / "examples" / "media"
    beside.mkdir()
    (beside / "made.json").touch()
    made.start()
    assert made._process is None
