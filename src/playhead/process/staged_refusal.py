"""Tells a deployment that its staged table did not take a row that the live one has taken."""

import os
from pathlib import Path

import msgspec

from playhead.observe import logger
from playhead.project.manifest import REFUSED_FILE

_LOG = logger("loader")


def say_refused(folder: Path, datasource: str, reason: str) -> None:
    """Write which data source has refused a row, and why; the file is replaced as a whole.

    In the folder of a workspace that is gone nothing is written.

    Raises:
        OSError: It could not be written; nothing of the file before is lost.
    """
    _LOG.error("staged_table_refused", datasource=datasource, reason=reason)
    path = folder / REFUSED_FILE
    try:
        folder.stat()
    except FileNotFoundError:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode({"datasource": datasource, "reason": reason}))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
