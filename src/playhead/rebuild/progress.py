"""How far a rebuild has come: one small file, replaced as a whole after each step.

Rows are in the side tables before the file says so, and a step that is done twice does no more than
once. So a rebuild that was killed goes on where the file says.
"""

from pathlib import Path
from typing import Final, Literal

import msgspec

from playhead.access.files import write_private
from playhead.errors import SchemaTooNew

FOLDER: Final = "rebuild"
"""Inside the data folder."""
FILE: Final = "state.json"
VERSION: Final = 1
Stage = Literal["folding", "folded", "switching", "summing", "done"]
OPEN: Final[frozenset[Stage]] = frozenset({"folding", "folded", "switching", "summing"})


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is folded again, fixed at the beginning."""

    id: str
    from_day: str
    to_day: str
    """First and last day of receipt (UTC, ISO), "" = no bound."""
    position: int
    """Events of log offsets before it."""
    as_of_ms: int
    """Log time of the rows: whatever the worker writes later has a later one, so it wins."""
    stamp: str
    """Of the fold; see `process/stamp.py`."""
    days: tuple[str, ...]
    """Those with views, the oldest first."""


class Tally(msgspec.Struct, kw_only=True):
    """What became of the views that were looked at."""

    views: int = 0
    changed: int = 0
    """Their rows say something else now."""
    marked: int = 0
    """The same numbers by a newer fold."""
    added: int = 0
    """Views that had no row."""
    removed: int = 0
    """Rows of views that the fold cuts otherwise now."""
    events_gone: int = 0
    """They stay as they are: not all of their events are stored any more."""
    not_final: int = 0
    """They stay as they are: open views are the worker's."""
    newer: int = 0
    """They stay as they are: the worker wrote them after the rebuild began."""
    not_folded: int = 0
    """They stay as they are: the fold fails on their events."""

    def add(self, other: "Tally") -> None:
        """Add what became of more views."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def written(self) -> int:
        """Return how many rows a switch would write or remove."""
        return self.changed + self.marked + self.added + self.removed


class Progress(msgspec.Struct, kw_only=True):
    """A rebuild and how far it is."""

    version: int = VERSION
    plan: Plan
    stage: Stage = "folding"
    at: int = 0
    """Days that are done, of the stage."""
    tally: Tally = msgspec.field(default_factory=Tally)
    old: dict[str, float] = {}
    """Sums over the rows as they were when they were folded, by the name of the sum."""
    new: dict[str, float] = {}
    """The same with the rebuilt rows."""
    touched: list[str] = []
    """Days with rows to switch."""


def read(data_dir: Path) -> Progress | None:
    """Return the rebuild of a data folder, None where there is none (or what is there is no such file).

    Raises:
        SchemaTooNew: A newer release wrote it.
    """
    path = data_dir / FOLDER / FILE
    try:
        text = path.read_bytes()
        version = msgspec.json.decode(text, type=_Versioned).version
        if version > VERSION:
            raise SchemaTooNew(f"{path} has version {version}; this release reads {VERSION}.")
        return msgspec.json.decode(text, type=Progress)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write(data_dir: Path, progress: Progress) -> None:
    """Keep it; it is on disk when this returns."""
    (data_dir / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(data_dir / FOLDER / FILE, msgspec.json.encode(progress).decode())


class _Versioned(msgspec.Struct):
    version: int = 0
