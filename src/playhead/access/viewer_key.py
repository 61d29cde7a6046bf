"""The key under which ids of viewers are hashed: made once, kept in the data folder (0600)."""

import os
import secrets
from pathlib import Path
from typing import Final

from playhead.access.files import write_private
from playhead.errors import Conflict

KEY_FILE: Final = "viewers.key"
KEY_BYTES: Final = 32
_DIGITS: Final = frozenset("0123456789abcdef")


def viewer_key(data_dir: Path) -> str:
    """Return the key as hexadecimal digits, "" where none was made yet.

    Raises:
        Conflict: The file holds no key; nothing was changed.
    """
    path = data_dir / KEY_FILE
    try:
        key = path.read_text("ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Conflict(f"{path.name} cannot be read ({error}); nothing was deleted.") from error
    if len(key) != 2 * KEY_BYTES or not _DIGITS.issuperset(key):
        raise Conflict(
            f"{path.name} holds no key; nothing was deleted.",
            hint="Put it back from a backup, or remove it: viewers deleted before are then not "
            "known again when late events of theirs come.",
        )
    return key


def make_viewer_key(data_dir: Path) -> str:
    """Return the key, made now and on disk where there was none; raises as `viewer_key`, OSError."""
    key = viewer_key(data_dir)
    if key:
        return key
    write_private(data_dir / KEY_FILE, secrets.token_hex(KEY_BYTES) + "\n")
    folder = os.open(data_dir, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return viewer_key(data_dir)
