"""The store process: the only one that has the engine in memory."""

from playhead.backup.unfinished import check_started
from playhead.config import Config
from playhead.store import server


def run(config: Config) -> int:
    """Run the store until it is told to stop; return the exit code."""
    check_started(config.data_dir)
    return server.serve(config)
