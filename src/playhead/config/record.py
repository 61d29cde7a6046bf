"""The settings of what the server writes down of its own work."""

from playhead.config.section import Section


class Record(Section, frozen=True):
    """Service data sources (`tinybird.*`): requests, operations, jobs, storage."""

    enabled: bool = True
    """Record requests, operations and storage. Off: the tables stay as they are."""
    requests_days: int = 7
    """How long single requests are kept (`pipe_stats_rt`, `endpoint_errors`, `hfi_requests`); 0 is for ever."""
    days: int = 90
    """How long the rest is kept; 0 is for ever."""
    every_ms: int = 1_000
    """How often rows are written."""
    max_pending_rows: int = 50_000
    """Most rows that wait to be written; what comes beyond is dropped and counted."""
    storage_every_ms: int = 300_000
    """How often the size of data sources is looked up."""
