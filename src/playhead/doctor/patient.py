"""Whom the doctor looks at: a server by its address, a data folder, the settings for both."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from playhead.clock import Clock
from playhead.config import Config

TOKEN_FILE: Final = "admin.token"  # noqa: S105 (a file's name)
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at. `folder` is None where the data folder is not on this machine."""

    url: str
    config: Config
    clock: Clock
    folder: Path | None = None
    secret: str = ""
    origins: tuple[str, ...] = ()
    """Pages whose players send: their preflight is tried."""

    @property
    def is_local(self) -> bool:
        """Return whether the address is this machine's own, past any proxy."""
        return (urlsplit(self.url).hostname or "") in LOOPBACK

    @property
    def base_path(self) -> str:
        """Return the path below which the address serves Playhead."""
        return urlsplit(self.url).path.rstrip("/")
