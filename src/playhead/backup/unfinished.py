"""A restore that was cut off leaves its draft: a folder with one is not started."""

from pathlib import Path
from typing import Final

from playhead.errors import StartupError

DRAFT: Final = ".restore"


def check_started(data_dir: Path) -> None:
    """Return where the folder may be used.

    Raises:
        StartupError: A restore into it has not come to its end.
    """
    if (data_dir / DRAFT).exists():
        raise StartupError(
            f"A restore into {data_dir} was cut off. Nothing was started.",
            hint="Run the same 'playhead restore' again: it goes on or begins anew.",
        )
