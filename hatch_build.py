"""What a wheel holds besides the package: the SDK, the dashboard, the example pages with their players.

They are built by `make player dashboard`, with Node. Whoever installs a wheel needs none; whoever builds one
does, and is told so. An editable installation reads them from where they are made, if they are.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = "playhead/serve/static"
LEFT_OUT = {"media", "__pycache__"}
"""The film is made where it is shown; it would be most of the wheel."""


class PlayerFiles(BuildHookInterface):
    """Puts them in, or refuses to build."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add each file under the name it has in the wheel."""
        if version == "editable":
            return
        root = Path(self.root)
        self._require_built(root)
        sources = {
            "sdk": root / "player" / "dist",
            "dashboard": root / "dashboard" / "dist",
            "examples": root / "examples",
        }
        for name, folder in sources.items():
            for path in files(folder):
                inside = path.relative_to(folder).as_posix()
                build_data["force_include"][str(path)] = f"{STATIC}/{name}/{inside}"

    def _require_built(self, root: Path) -> None:
        package = json.loads((root / "player" / "package.json").read_text("utf-8"))
        entries = [target for entry in package["exports"].values() for target in targets(entry)]
        needed = [root / "player" / entry for entry in entries]
        needed.append(root / "dashboard" / "dist" / "index.html")
        needed.append(root / "examples" / "lib" / "versions.json")
        missing = [str(path.relative_to(root)) for path in needed if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"A wheel holds the SDK for players and the dashboard, and {missing[0]} is not there: "
                "run 'make player dashboard' first (it needs Node 20 or newer)."
            )


def targets(entry: str | dict[str, str]) -> list[str]:
    """Return the files that an entry of `exports` names."""
    return [entry] if isinstance(entry, str) else list(entry.values())


def files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that belong into a wheel."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)
        if path.is_file() and not hidden and parts[0] not in LEFT_OUT:
            yield path
