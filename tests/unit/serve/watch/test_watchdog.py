"""The watchdog over time: it waits before it cries, remembers since when, and lets go."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec
import pytest

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.config import Watch
from playhead.config.file import load
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.observe import samples
from playhead.query.span import iso
from playhead.serve.services import Services
from playhead.serve.watch.watchdog import TALLIES_MAX, Watchdog
from playhead.store.client import AsyncStoreClient
from playhead.store.location import embedded


@pytest.fixture
async def services(tmp_path: Path) -> AsyncGenerator[Services, None]:
    """A server whose store is not there."""
    settings = {
        "data.dir": str(tmp_path),
        # The disk of the machine that runs this is no matter here.
        "log.free_space_floor_bytes": 0,
        "retention.space_warning_bytes": 0,
    }
    config, clock = load(overrides=settings).config, ManualClock()
    found = Services(
        config=config, clock=clock, store=AsyncStoreClient(embedded(tmp_path)),
        tokens=Tokens(tmp_path / "access.db", clock), log=MemoryLog(config.log, clock),
        ledger=Ledger(tmp_path / "worker.db", writable=False),
    )  # fmt: skip
    yield found
    found.tokens.close()
    await found.store.close()


def value(alert: str, severity: str) -> float:
    wanted = {"alert": alert, "severity": severity}
    return next(number for labels, number in samples("playhead_alert") if labels == wanted)


async def test_a_silent_store_is_an_alert_once_it_lasts(services: Services) -> None:
    clock, dog = services.clock, Watchdog(services)
    assert isinstance(clock, ManualClock)
    began = clock.now_ms()
    await dog.look()
    assert dog.alerts() == []
    for _ in range(2):
        clock.advance(20_000)
        await dog.look()
    (alert,) = dog.alerts()
    assert (alert["id"], alert["since"]) == ("store_unreachable", iso(began))
    assert value("store_unreachable", "critical") == 1


async def test_restarts_are_an_alert_for_an_hour(services: Services) -> None:
    clock, dog = services.clock, Watchdog(services)
    assert isinstance(clock, ManualClock)
    run = services.config.data_dir / "run"
    run.mkdir()
    at = [clock.now_ms() - ms for ms in (3_000, 2_000, 1_000)]
    listed = {"worker": {"pid": 1, "restarts": 3, "restarted_at_ms": at}}
    (run / "processes.json").write_text(json.dumps(listed))
    await dog.look()
    assert [(one["id"], one["since"]) for one in dog.alerts()] == [("restarts", iso(at[0]))]
    clock.advance(3_600_000)
    await dog.look()
    assert "restarts" not in [one["id"] for one in dog.alerts()]
    assert value("restarts", "warning") == 0


async def test_of_a_long_window_the_moments_lie_further_apart(services: Services) -> None:
    watch = Watch(every_ms=1_000, window_ms=4_000 * TALLIES_MAX)
    config = msgspec.structs.replace(services.config, watch=watch)
    dog, clock = Watchdog(msgspec.structs.replace(services, config=config)), services.clock
    assert isinstance(clock, ManualClock)
    for _ in range(8):
        await dog.look()
        clock.advance(1_000)
    assert dog._tallies.maxlen == TALLIES_MAX
    assert [one.at_ms - dog._tallies[0].at_ms for one in dog._tallies] == [0, 4_000]
