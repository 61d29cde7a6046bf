"""Where a workspace's own files are: its live project, its tokens, its secrets."""

import re
from pathlib import Path
from typing import Final

import msgspec

from playhead.errors import NotFound

FOLDER: Final = "workspaces"
"""Inside the data folder, which is the main workspace itself."""
FILE: Final = "workspace.json"
"""What is known of a further workspace, in its folder."""
ID_BYTES: Final = 6
_ID: Final = re.compile(r"[0-9a-f]{12}")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What `workspace.json` says."""

    name: str
    created_at_ms: int = 0
    test: bool = False
    """It is for one run of tests: queries run in one thread, and nobody keeps it."""


def is_id(text: str) -> bool:
    """Return whether a text can be the id of a further workspace."""
    return _ID.fullmatch(text) is not None


def folder_of(data_dir: Path, workspace: str) -> Path:
    """Return the folder of a workspace, which is gone when the workspace was deleted.

    Args:
        data_dir: The data folder.
        workspace: Its id; "" = the main one.

    Raises:
        NotFound: It is no id of a workspace.
    """
    if not workspace:
        return data_dir
    if not is_id(workspace):
        raise NotFound(f"There is no workspace '{workspace[:80]}'.")
    return data_dir / FOLDER / workspace


def id_of(folder: Path) -> str:
    """Return which workspace a folder is of; "" = it is a data folder, the main one."""
    is_further = folder.parent.name == FOLDER and is_id(folder.name)
    return folder.name if is_further else ""


def known_of(folder: Path) -> Known | None:
    """Return what the folder of a further workspace says; None where nothing can be read."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Known)
    except (OSError, msgspec.DecodeError):
        return None


def database_of(workspace: str, main: str) -> str:
    """Return the database of a workspace's project; `main` is that of the main one."""
    return f"ws_{workspace}" if workspace else main


def own_database_of(workspace: str, main: str) -> str:
    """Return the database of Playhead's own tables as a workspace sees them: further ones are empty."""
    return f"ws_{workspace}_{main}" if workspace else main
