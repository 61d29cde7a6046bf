"""The settings of jobs: imports, copies, sinks, and what else takes longer than a request."""

from playhead.config.section import GIB, MIB, Section


class Jobs(Section, frozen=True):
    """Jobs: imports, copies, sinks, backfills, deployments."""

    max_running: int = 2
    """Jobs that run at once; the others wait."""
    max_waiting: int = 200
    """Jobs that may wait; beyond it 503."""
    max_kept: int = 10_000
    """Jobs remembered; the oldest that ended are forgotten first."""
    max_import_bytes: int = 20 * GIB
    """Largest file of one import, as it is sent and unpacked."""
    max_spool_bytes: int = 50 * GIB
    """Files of imports on disk, all together; beyond it no more are taken."""
    import_chunk_bytes: int = 4 * MIB
    """An import goes into the log in pieces of about this size."""
    max_record_bytes: int = 8 * MIB
    """Longest record of an import; a longer one ends it."""
    max_import_lead_bytes: int = 24 * MIB
    """How far an import may be ahead of the worker in the log, so that events do not wait for it."""
    max_waiting_uploads: int = 8
    """Bodies of imports that are received at once; beyond it 503."""
    upload_idle_ms: int = 30_000
    """How long the body of an import may stand still while it is sent."""
    min_upload_bytes_per_s: int = 16_384
    """Slowest mean rate of such a body, looked at after `upload_idle_ms`; 0 = none."""
    allowed_import_hosts: tuple[str, ...] = ()
    """Hosts that `url=` may name, as `host` or `.domain`; none = imports by URL are refused."""
    import_url_timeout_ms: int = 3_600_000
    """How long fetching the file of an import by URL may take."""
    export_dir: str = ""
    """Folder below which sinks of a connection of TYPE file write, those of a further workspace in a
    folder of its id; empty = they are refused."""
    sinks_use_server_credentials: bool = False
    """Sinks whose connection has no keys take those of this server (environment, instance, role);
    whoever can build a project writes with them."""
    max_sink_files: int = 1_000
    """Most files that one run of a sink writes."""
