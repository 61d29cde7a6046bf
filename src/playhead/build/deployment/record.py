"""What is kept of deployments: a file each in `project/deployments`, replaced as a whole."""

import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from playhead.access.files import write_private
from playhead.build.deployment.plan import Plan
from playhead.errors import NotFound
from playhead.observe import logger
from playhead.project.manifest import REFUSED_FILE, Manifest
from playhead.project.problem import Problem
from playhead.project.resources import Datasource
from playhead.store.pour import Part, blocks_of

FOLDER: Final = Path("project") / "deployments"
KEPT_MAX: Final = 100
"""Deployments whose record is kept; the oldest that are over go first."""
BUILT: Final = "0"
"""What stands for a project that a build made live."""
Status = Literal["in_progress", "data_ready", "live", "previous", "failed", "deleted"]
OPEN: Final[frozenset[Status]] = frozenset({"in_progress", "data_ready"})
_OVER: Final[frozenset[Status]] = frozenset({"failed", "deleted"})
_LOG = logger("deployments")


class Feedback(msgspec.Struct, frozen=True):
    """A remark on a resource; `level` is INFO, WARNING or ERROR."""

    resource: str
    level: str
    message: str


class Fault(msgspec.Struct, frozen=True):
    """Why a file cannot be deployed."""

    filename: str
    error: str


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment changes, by name."""

    new_datasource_names: tuple[str, ...] = ()
    changed_datasource_names: tuple[str, ...] = ()
    deleted_datasource_names: tuple[str, ...] = ()
    new_pipe_names: tuple[str, ...] = ()
    changed_pipe_names: tuple[str, ...] = ()
    deleted_pipe_names: tuple[str, ...] = ()
    new_data_connector_names: tuple[str, ...] = ()
    changed_data_connector_names: tuple[str, ...] = ()
    deleted_data_connector_names: tuple[str, ...] = ()

    def any(self) -> bool:
        """Return whether there is anything."""
        return any(getattr(self, name) for name in self.__struct_fields__)


class Pouring(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were frozen at the cut, and how many blocks of them are in their new table."""

    datasource: str
    fills: bool = False
    """They go through views that have nothing of it yet; else into its own new table."""
    parts: tuple[Part, ...] = ()
    done: int = 0
    rows: int = 0

    def rows_done(self) -> int:
        """Return how many rows are in the blocks that are done."""
        blocks = islice(blocks_of(self.parts), self.done)
        return sum(block.next - block.first for block in blocks)


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment. Times are UTC ms, 0 = not yet."""

    id: str
    status: Status = "in_progress"
    created_at: int = 0
    data_ready_at: int = 0
    live_at: int = 0
    database: str = ""
    """Where its new tables are."""
    auto: bool = False
    """It is promoted as soon as its rows are there."""
    allow_destructive: bool = False
    changed: Changed = Changed()
    feedback: tuple[Feedback, ...] = ()
    errors: tuple[Fault, ...] = ()
    plan: Plan = Plan()
    targets: dict[str, Datasource] = {}
    """Data sources that pipes describe (Classic), which no file has."""
    cut: bool = False
    """Rows flow into it, and those of before are frozen."""
    pause_ms: int = 0
    """For how long the cut held rows off."""
    pourings: tuple[Pouring, ...] = ()
    leaves: tuple[tuple[str, str], ...] = ()
    """What `left` will be: written before the switch, as nobody can tell it afterwards."""
    made: tuple[tuple[str, str], ...] = ()
    """Tables outside its own database that it made: they go with it when it is discarded."""
    left: tuple[tuple[str, str], ...] = ()
    """Tables and views, with their database, that nothing needs since it is live: its way back."""
    before: str = ""
    """The deployment that was live before it."""

    @property
    def live(self) -> bool:
        """Return whether it is what is served."""
        return self.status == "live"

    @property
    def number(self) -> int:
        """Return its number; they count up."""
        return int(self.id)


class Records:
    """The deployments of one workspace's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def newest(self) -> list[Deployment]:
        """Return all there are, the newest first; one that cannot be read is left out and logged."""
        found = []
        for path in self._folder.glob("*.json"):
            if path.stem.isdigit():
                try:
                    found.append(msgspec.json.decode(path.read_bytes(), type=Deployment))
                except (OSError, msgspec.DecodeError) as error:
                    _LOG.error("deployment_not_read", file=path.name, reason=str(error))
        return sorted(found, key=lambda one: one.number, reverse=True)

    def known(self, id: str) -> Deployment:  # noqa: A002 (its own word)
        """Return a deployment; raises NotFound."""
        for one in self.newest():
            if one.id == id:
                return one
        raise NotFound(
            f"There is no deployment '{id[:20]}'.", hint="GET /v1/deployments lists them."
        )

    def open(self) -> Deployment | None:
        """Return the one that is being made or waits to be promoted."""
        return next((one for one in self.newest() if one.status in OPEN), None)

    def next_id(self) -> str:
        """Return the id of a deployment to come; none is ever given twice."""
        numbers = [int(path.name) for path in self._folder.glob("*") if path.name.isdigit()]
        return str(max([0, *numbers, *(one.number for one in self.newest())]) + 1)

    def write(self, deployment: Deployment) -> None:
        """Keep a deployment; it is on disk when this returns."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = msgspec.json.encode(deployment).decode()
        write_private(self._folder / f"{deployment.id}.json", text)

    def write_manifest(self, id: str, name: str, manifest: Manifest) -> None:  # noqa: A002
        """Keep a manifest beside a deployment: `staged` or `before`. It holds secrets."""
        folder = self._folder / id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / f"{name}.json", msgspec.json.encode(manifest).decode())

    def manifest(self, id: str, name: str) -> Manifest:  # noqa: A002
        """Return a manifest that was kept; raises OSError or msgspec.DecodeError."""
        path = self._folder / id / f"{name}.json"
        return msgspec.json.decode(path.read_bytes(), type=Manifest)

    def refused(self) -> tuple[str, str] | None:
        """Return a data source and why its staged table did not take a row; None = it took all."""
        try:
            found: Any = msgspec.json.decode((self._folder / REFUSED_FILE.name).read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        if not isinstance(found, dict):
            return None
        return str(found.get("datasource", "")), str(found.get("reason", ""))

    def forget_refused(self) -> None:
        """Begin anew with what staged tables refuse."""
        (self._folder / REFUSED_FILE.name).unlink(missing_ok=True)

    def trim(self) -> None:
        """Let the oldest records go that are over."""
        over = [one for one in self.newest() if one.status in _OVER]
        for one in over[KEPT_MAX:]:
            (self._folder / f"{one.id}.json").unlink(missing_ok=True)
            shutil.rmtree(self._folder / one.id, ignore_errors=True)


def faults_of(problems: Sequence[Problem]) -> tuple[Fault, ...]:
    """Return problems as errors of files, each with its place and a way out."""
    found = []
    for one in problems:
        place = f"line {one.line}, column {max(1, one.column)}: " if one.line else ""
        found.append(Fault(one.file, f"{place}{one.message} {one.hint}".strip()))
    return tuple(found)
