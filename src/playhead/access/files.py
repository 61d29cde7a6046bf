"""Secrets in files of the data folder, readable by their owner only."""

import hashlib
import os
from pathlib import Path
from typing import Final
from urllib.parse import quote

FOLDER: Final = "tokens"
_STEM_BYTES_MAX: Final = 180
"""A name may be longer than a file's; then its hash ends it."""


def write_secret(data_dir: Path, name: str, secret: str) -> Path:
    """Write the secret of a token to `tokens/<name>.token` (0600) and return the path.

    What a file cannot be called, such as a slash, stands there as `%2F`.
    """
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{_stem(name)}.token"
    write_private(path, secret + "\n")
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner only, also while it is being written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _stem(name: str) -> str:
    stem = quote(name, safe=" ")
    if stem.startswith("."):
        stem = "%2E" + stem[1:]
    if len(stem) <= _STEM_BYTES_MAX:
        return stem
    return f"{stem[:_STEM_BYTES_MAX]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
