"""The worker process: put together from log, store, ledger and fold."""

import gc
import os
import signal
import threading
from types import FrameType

from playhead.clock import Clock, SystemClock
from playhead.config import Config
from playhead.log.offsets import Ledger
from playhead.log.segments import SegmentLog
from playhead.process.worker import Worker
from playhead.query.catalogue import catalogue
from playhead.query.pieces import layout_of
from playhead.runtime.location import location_of
from playhead.store.client import StoreClient


def run(config: Config) -> int:
    """Run the worker until it is told to stop; return the exit code."""
    # A door that waits makes a player wait; a worker that waits reads the log a little later.
    os.nice(config.process.niceness)
    clock: Clock = SystemClock()
    log = SegmentLog(config.data_dir / "log", config.log, clock, writable=False)
    store = StoreClient(location_of(config))
    ledger = Ledger(config.data_dir / "worker.db")
    rollup = layout_of(catalogue(config.query))
    worker = Worker(config, log, store, ledger, clock, rollup=rollup)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=worker.stop, daemon=True).start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Events and states hold no cycles; the collector would walk millions of them for nothing.
    gc.freeze()
    gc.disable()
    worker.run()
    ledger.close()
    log.close()
    store.close()
    return 0
