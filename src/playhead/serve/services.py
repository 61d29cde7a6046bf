"""What the answers need: built by the runtime, handed to `create_app`."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from playhead.access import Tokens
from playhead.clock import Clock
from playhead.collect.retry import Retry
from playhead.config import Config
from playhead.jobs.runner import Runner
from playhead.jobs.schedules import Schedules
from playhead.log.base import Log
from playhead.log.offsets import Ledger
from playhead.record.recorder import Recorder
from playhead.serve.space.watch import SpaceWatch
from playhead.serve.workspaces import Workspaces
from playhead.store.client import AsyncStoreClient


class RecentRefusals(Protocol):
    """Whoever remembers what the doors did not take."""

    def recent(self) -> Sequence[msgspec.Struct]:
        """Return what is remembered, newest first."""
        ...


class Services(msgspec.Struct, kw_only=True):
    """The parts the answers are made from. `ledger` is opened for reading only."""

    config: Config
    clock: Clock
    store: AsyncStoreClient
    tokens: Tokens
    log: Log
    ledger: Ledger
    refusals: RecentRefusals | None = None
    retry: Retry | None = None
    recorder: Recorder | None = None
    runner: Runner | None = None
    """Runs jobs; None in an application without a log of its own."""
    schedules: Schedules | None = None
    """What copies and sinks are due by themselves; None where no jobs are run."""
    started_at_ms: int = 0
    workspaces: Workspaces | None = None
    space: SpaceWatch | None = None

    def homes(self) -> Workspaces:
        """Return the workspaces: those handed in, else those of the data folder."""
        if self.workspaces is None:
            self.workspaces = Workspaces(self.config, self.store, self.tokens, self.clock)
        return self.workspaces

    def space_watch(self) -> SpaceWatch:
        """Return what looks at the space: what was handed in, else one of its own."""
        if self.space is None:
            self.space = SpaceWatch(self.config, self.clock, self.store, self.log, self.ledger)
        return self.space

    def recent_refusals(self) -> list[dict[str, Any]]:
        """Return what the doors did not take lately, newest first."""
        recent = self.refusals.recent() if self.refusals else ()
        return [msgspec.to_builtins(refused) for refused in recent]
