"""The settings of what is kept how long and how large, beside those of log, events and views."""

from playhead.config.section import GIB, Section


class Retention(Section, frozen=True):
    """How long and how much is kept, where `log` and `process` do not say so, and when space is short.

    Sizes are of one table on disk. Beyond one, whole days go, the oldest first: never today and yesterday
    by the log's time, and of events and views no day whose views a late event may still change
    (`collect.max_event_age_ms`).
    """

    cdn_request_days: int = 0
    """CDN requests are removed after this many days; 0 is as long as events."""
    frame_days: int = 0
    """The same for frames of encoders."""
    quarantine_days: int = 0
    """The same for refused events."""
    cdn_minute_days: int = 0
    """Sums of CDN requests a minute are removed after this many days; 0 is as long as views."""
    event_bytes: int = 0
    """Most bytes of stored events; 0 is no limit."""
    view_bytes: int = 0
    """The same for views."""
    quarantine_bytes: int = 10 * GIB
    """The same for refused events."""
    cdn_request_bytes: int = 0
    """The same for CDN requests."""
    cdn_minute_bytes: int = 0
    """The same for their sums a minute."""
    frame_bytes: int = 0
    """The same for frames of encoders."""
    service_table_bytes: int = 5 * GIB
    """The same for each table of `tinybird.*`; of these only today stays."""
    import_days: int = 7
    """So long the file of an import that failed is kept, to be tried again; 0 is for ever."""
    job_days: int = 90
    """So long a job that has ended is remembered, within `jobs.max_kept`; 0 is for ever."""
    space_warning_bytes: int = 5 * GIB
    """Below this much free disk status, metrics and doctor warn; it lies above `log.free_space_floor_bytes`."""
    space_warning_days: int = 7
    """They warn as well where the disk is full in fewer days at the present rate; 0 is never."""
