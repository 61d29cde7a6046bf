"""The film of the example pages, made beside the demo while it runs."""

import shutil
import subprocess
import sys
from pathlib import Path

from playhead.observe import logger
from playhead.serve import shelf
from playhead.serve.examples import FILM

STOP_WITHIN_S = 2.0

_LOG = logger("film")


class Film:
    """One call of `make_media.py`; where ffmpeg is missing, the page of the examples says so."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FILM
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, unless the film is there or cannot be made; the server does not wait for it."""
        pages = shelf.examples()
        script = pages / "make_media.py"
        made_before = (pages / FILM / "made.json").is_file()
        if made_before or not script.is_file() or shutil.which("ffmpeg") is None:
            return
        try:
            self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and script)
                [sys.executable, str(script), str(self._folder), "--gently"],
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            _LOG.warning("film_not_made", reason=str(error))

    def stop(self) -> None:
        """End it, made or not."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
