"""Debian's Chromium without a screen, and what the suite needs besides."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
CHROMIUM: Final = Path(os.environ.get("PLAYHEAD_CHROMIUM", "/usr/bin/chromium"))
MEDIA: Final = ROOT / ".cache" / "media"
BUNDLE: Final = Path(os.environ.get("PLAYHEAD_BUNDLE", ROOT / "player" / "dist"))
MODULES: Final = ROOT / "player" / "node_modules"
REQUIRED: Final = os.environ.get("PLAYHEAD_REQUIRE_BROWSER") == "1"
ARGS: Final = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required", "--mute-audio",
]  # fmt: skip


def missing() -> str:
    """What the suite needs and this machine has not, as a sentence; empty = all there."""
    if not CHROMIUM.exists():
        return f"There is no Chromium at {CHROMIUM} (PLAYHEAD_CHROMIUM names another)."
    if not shutil.which("ffmpeg") and not (MEDIA / "film.mp4").exists():
        return "There is no ffmpeg to make the streams with."
    if not (MODULES / "hls.js").exists():
        return "The players are not installed: npm ci in player/."
    return ""


def unbuilt() -> str:
    """The same for our own bundles."""
    built = (BUNDLE / "index.js").exists()
    return "" if built else "The player library is not built: npm run build in player/."


def needed(reason: str) -> None:
    """Skip if there is a reason, or fail where a browser is required."""
    if reason:
        if REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)


def media() -> Path:
    """The folder of the streams, made by the first who asks."""
    if not (MEDIA / "film.mp4").exists():
        MEDIA.parent.mkdir(exist_ok=True)
        script = ROOT / "examples" / "make_media.py"
        subprocess.run([sys.executable, str(script), str(MEDIA)], check=True, timeout=300)
    return MEDIA
