"""The settings of answers."""

from playhead.config.section import GIB, MIB, Section


class Query(Section, frozen=True):
    """The answers."""

    use_rollups: bool = True
    """Read closed days from their sums where there are any, instead of from the views."""
    timeout_ms: int = 10_000
    """How long one query may take; beyond it 408."""
    max_result_rows: int = 100_000
    """Most rows of one answer."""
    max_result_bytes: int = 64 * MIB
    """Most bytes of one answer."""
    max_rows_to_read: int = 2_000_000_000
    """Most rows one query may read."""
    max_groups: int = 1_000
    """Most groups of a breakdown."""
    max_buckets: int = 10_000
    """Most time buckets of an answer."""
    max_histogram_buckets: int = 200
    """Most buckets of values of a histogram."""
    max_series: int = 50
    """Most series of a grouped time series or live answer."""
    max_report_buckets: int = 500
    """Most time buckets of a report."""
    report_timeout_ms: int = 60_000
    """How long one statement of a report may take."""
    report_exact_views: int = 1_000_000
    """Views of a report and the period before it up to which medians are exact; beyond, within 1 %."""
    max_filters: int = 50
    """Most filters of one question."""
    max_page_rows: int = 500
    """Most view rows of one page."""
    max_events_shown: int = 5_000
    """Most events shown of one view."""
    max_live_minutes: int = 60
    """How far back a live answer may reach."""
    live_every_ms: int = 1_000
    """How often a live stream sends its newest numbers."""
    live_history_ms: int = 120_000
    """How long after a live stream broke off a listener still gets only what changed meanwhile."""
    live_stalled_ms: int = 30_000
    """A listener that takes nothing for this long is let go."""
    live_ping_ms: int = 15_000
    """A live stream with nothing to say for this long sends a comment."""
    max_listeners: int = 2_000
    """Most live streams open at once; beyond it 503."""
    max_live_questions: int = 20
    """Most different questions of live streams, each asked once however many listen; beyond it 503."""
    max_sessions: int = 10_000
    """Most browser sessions at once."""
    session_ms: int = 7 * 86_400_000
    """How long a browser session lasts."""
    max_troubles: int = 200
    """Most stalls, failures, slow startups and long seeks explained of one view."""
    max_exports: int = 2
    """Exports of views that may run at once; each holds one of the store's queries."""
    export_timeout_ms: int = 600_000
    """How long one export may take."""
    max_export_rows: int = 20_000_000
    """Most views of one export."""
    max_export_bytes: int = 16 * GIB
    """Most bytes of one export; a Parquet file may have `query.max_result_bytes`."""
    max_retention_points: int = 10_800
    """Most points of a retention curve; a longer title gets coarser ones."""
    min_retention_views: int = 5
    """Fewest views of a title for its drop-offs and hotspots, and to be compared with others."""
    similar_length_percent: int = 25
    """Titles are of similar length when theirs differs by no more than this."""
    min_similar_titles: int = 5
    """Fewest titles to compare a retention curve with."""
    max_similar_titles: int = 100
    """Most titles to compare a retention curve with; those with the most views are taken."""
    max_moments: int = 10
    """Most drop-offs, spikes, dips and parts shown of a retention curve, each."""
    min_insight_views: int = 50
    """Values with fewer views are left out of insights, unless `min_views` asks otherwise."""
    max_insight_metrics: int = 12
    """Most metrics of one question for insights."""
    max_insight_dimensions: int = 40
    """Most dimensions of one question for insights."""
    max_insight_views: int = 500_000
    """Views that a question for insights looks at; of more a sample is taken, and the answer says so."""
    max_insight_pair_dimensions: int = 6
    """Of so many of the strongest dimensions pairs are looked at."""
    insight_chance_percent: float = 5
    """How likely it may be that chance alone puts any value (any pair) into insights; 100 lists all."""
    insight_pair_percent: int = 90
    """A pair is shown when its impact is at least this share of that of either of its parts."""
    max_parameter_bytes: int = 16_384
    """Longest query string."""
    requests_per_minute_per_token: int = 6_000
    """Requests per token and minute; 0 is no limit."""
    cache_ms: int = 5_000
    """How long an answer about a closed span is kept."""
    cache_open_ms: int = 500
    """The same where views may still change it; also the step in which `now` moves on."""
    cache_entries: int = 1_000
    """Most answers kept."""
    cache_bytes: int = 32 * MIB
    """Memory for answers kept."""
    good_startup_ms: float = 4_000
    """A good view starts within this time (`good_view_percentage` and its relatives)."""
    good_wait_ms: float = 5_000
    """Who leaves after waiting so long for the first frame had no good view; before, it is not judged."""
    good_rebuffer_percentage: float = 1
    """A good view stalls for at most this share of its playing, stalled and seeking time."""
    good_bitrate_tv_kbps: float = 2_500
    """A good view's average bitrate on televisions, set-top boxes and consoles; 0 asks for none."""
    good_bitrate_desktop_kbps: float = 1_200
    """The same on desktops, and where the device is not known."""
    good_bitrate_handheld_kbps: float = 600
    """The same on phones and tablets."""
    apdex_startup_ms: float = 2_000
    """Viewers are satisfied with a start within this time, tolerating within four times it."""
    apdex_rebuffer_percentage: float = 0.5
    """The same for the stalled share."""
