"""What the answers need: built by the runtime, handed to `create_app`."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from playhead.access import Tokens
from playhead.clock import Clock
from playhead.collect.retry import Retry
from playhead.config import Config
from playhead.log.base import Log
from playhead.log.offsets import Ledger
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
    started_at_ms: int = 0

    def recent_refusals(self) -> list[dict[str, Any]]:
        """Return what the doors did not take lately, newest first."""
        recent = self.refusals.recent() if self.refusals else ()
        return [msgspec.to_builtins(refused) for refused in recent]
