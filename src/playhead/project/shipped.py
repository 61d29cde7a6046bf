"""Projects that come with Playhead."""

from pathlib import Path
from typing import Final

import playhead
from playhead.errors import NotFound

DEFAULT: Final = "video"
"""Built into an empty data folder."""


def shipped(name: str) -> Path:
    """Return the folder of a project that comes along: in the package, or in a checkout beside it.

    Raises:
        NotFound: None of that name comes along.
    """
    package = Path(playhead.__file__).parent
    for folder in (package / "projects" / name, package.parents[1] / "projects" / name):
        if folder.is_dir():
            return folder
    raise NotFound(f"No project '{name}' comes with this installation.")
