"""The film of the examples: whole or not there, cut at the same moments in every rendition."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.source import ROOT

SCRIPT = ROOT / "examples" / "make_media.py"
SECONDS = 4
WITHIN_S = 60


def command(folder: Path, seconds: int) -> list[str]:
    return [sys.executable, str(SCRIPT), str(folder), "--seconds", str(seconds)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("ffmpeg") is None:
        reason = "ffmpeg is not on the PATH."
        if os.environ.get("PLAYHEAD_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("film") / "media"
    subprocess.run(command(folder, SECONDS), check=True, timeout=WITHIN_S)
    return folder


def test_hls_and_dash_name_the_same_segments(film: Path) -> None:
    master = (film / "film.m3u8").read_text("utf-8")
    playlists = re.findall(r"^(media_\d\.m3u8)$", master, re.MULTILINE)
    named = [
        re.findall(r"^[^#\s].*$", (film / one).read_text("utf-8"), re.MULTILINE)
        for one in playlists
    ]
    assert named == [[f"{n}_00{part}.m4s" for part in (1, 2)] for n in range(3)]
    assert all((film / segment).is_file() for segments in named for segment in segments)
    assert 'media="$RepresentationID$_$Number%03d$.m4s"' in (film / "film.mpd").read_text("utf-8")


def test_the_renditions_differ_and_every_segment_lasts_two_seconds(film: Path) -> None:
    rates = re.findall(
        r' bandwidth="(\d+)" width="\d+" height="(\d+)"', (film / "film.mpd").read_text("utf-8")
    )
    assert [(int(rate), int(height)) for rate, height in rates] == [
        (250_000, 240),
        (750_000, 360),
        (2_000_000, 540),
    ]
    for number in range(3):
        playlist = (film / f"media_{number}.m3u8").read_text("utf-8")
        assert set(re.findall(r"#EXTINF:([\d.]+)", playlist)) == {"2.000000"}
        assert "DATE-TIME" not in playlist  # a film has no hour; live latency would be made of it


def test_a_film_that_is_made_is_left_alone(film: Path) -> None:
    before = (film / "film.mp4").stat().st_mtime_ns
    subprocess.run(command(film, SECONDS), check=True, timeout=WITHIN_S)
    assert (film / "film.mp4").stat().st_mtime_ns == before
    assert (film / "made.json").is_file()


def test_one_that_is_stopped_leaves_nothing(film: Path, tmp_path: Path) -> None:
    making = subprocess.Popen(command(tmp_path / "media", 600))
    until = time.monotonic() + WITHIN_S
    while not list(tmp_path.glob(".media-*/*")) and time.monotonic() < until:
        time.sleep(0.02)
    assert list(tmp_path.glob(".media-*"))
    making.send_signal(signal.SIGTERM)
    assert making.wait(WITHIN_S) != 0
    assert list(tmp_path.iterdir()) == []


def test_without_ffmpeg_it_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "media", SECONDS), env={"PATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "apt-get install ffmpeg" in done.stderr
