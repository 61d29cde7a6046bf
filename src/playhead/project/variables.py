"""The variables (secrets) that were set on the server: what `tb_secret()` finds beside `.env.local`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path("project") / "variables.json"
"""Inside the folder of a workspace; readable by its owner only."""
UNREADABLE: Final = (OSError, msgspec.DecodeError)
"""What reading it raises, except that it is not there."""


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable; times are UTC ms."""

    value: str
    created_at_ms: int = 0
    updated_at_ms: int = 0


class Variables(msgspec.Struct, frozen=True, kw_only=True):
    """All variables of a workspace."""

    version: int = 1
    values: dict[str, Variable] = {}
    removed: dict[str, int] = {}
    """When others were removed (UTC ms): a project that was built before still holds their values."""

    def plain(self) -> dict[str, str]:
        """Return name to value."""
        return {name: one.value for name, one in self.values.items()}

    def over(self, secrets: Mapping[str, str], built_at_ms: int) -> dict[str, str]:
        """Return the secrets a project was built with, as what is set and removed since changes them."""
        gone = {name for name, at_ms in self.removed.items() if at_ms >= built_at_ms}
        kept = {name: value for name, value in secrets.items() if name not in gone}
        return {**kept, **self.plain()}


def read_variables(folder: Path) -> Variables:
    """Return what is set in a workspace; nothing where there is no file. Raises UNREADABLE."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Variables)
    except FileNotFoundError:
        return Variables()
