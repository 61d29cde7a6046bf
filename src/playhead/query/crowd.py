"""How many watch at once: a running sum of +1 and -1 at the ends of state intervals.

A view is concurrent while it is starting, playing (content or an ad) or rebuffering for at most five
minutes; not while it is paused, seeking or silent. The last interval of an open view goes on until
`live_until`, never past now. Computed from the rows, so it is exact, right for late events, and
always agrees with the views themselves.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from playhead.model.states import State
from playhead.query.reader import Reader
from playhead.query.scope import Scope, add_days, sql_time
from playhead.query.span import MINUTE_MS, Span
from playhead.query.statement import Conditions, Params

VIEWS = "playhead.views"
REBUFFERING_COUNTS_MS = 5 * MINUTE_MS
CONCURRENT = (
    State.STARTING, State.PLAYING, State.REBUFFERING, State.AD, State.AD_REBUFFERING,
)  # fmt: skip
STALLED = (State.REBUFFERING, State.AD_REBUFFERING)


def present_sql(reader: Reader, scope: Scope, span: Span, params: Params) -> str:
    """Return the WHERE for views that may have an interval within the span.

    All versions of a view lie in one partition, so the days are found first, from one narrow
    column: only days with such a view have their intervals read.
    """
    days = Conditions()
    add_days(params, days, span, reader.config)
    start = params.add("DateTime64(3, 'UTC')", sql_time(span.from_ms))
    end = params.add("DateTime64(3, 'UTC')", sql_time(span.to_ms))
    touching = f"started_at <= {end} AND greatest(live_until, ended_at) >= {start}"
    days.add(touching)
    conditions = Conditions()
    conditions.add(
        f"first_seen_day IN (SELECT DISTINCT first_seen_day FROM {VIEWS} WHERE {days.sql()})"
    )
    conditions.add(touching)
    scope.narrow(params, conditions, reader.catalogue)
    return conditions.sql()


def intervals_sql(reader: Reader, scope: Scope, span: Span, *, group: str, params: Params) -> str:
    """Return a SELECT of the concurrent intervals that touch the span, one row each.

    Columns: `named` (the SQL `group`), `state`, `low` and `high` (ms, not clipped), `kbps`.

    Args:
        reader: For its limits and its catalogue.
        scope: Which views.
        span: When; its end is also the moment to which open views are prolonged and still seen.
        group: SQL of the series a view belongs to.
        params: Where values are bound.
    """
    end = params.add("Int64", span.to_ms)
    start = params.add("Int64", span.from_ms)
    states = params.add("Array(String)", [str(state) for state in CONCURRENT])
    stalled = params.add("Array(String)", [str(state) for state in STALLED])
    # Past the end by a moment: who is watching at the end is still seen there.
    until = f"least({end} + 1, toUnixTimestamp64Milli(live_until))"
    reached = f"if(NOT final AND number = length(interval_to), greatest(upto, {until}), upto)"
    most = params.add("Int64", REBUFFERING_COUNTS_MS)
    return (
        f"SELECT {group} AS named, state_ AS state, low, kbps, "
        f"if(state_ IN {stalled}, least({reached}, low + {most}), {reached}) AS high "
        f"FROM {VIEWS} FINAL "
        f"ARRAY JOIN interval_state AS state_, interval_from AS low, interval_to AS upto, "
        f"interval_bitrate_kbps AS kbps, arrayEnumerate(interval_from) AS number "
        f"WHERE {present_sql(reader, scope, span, params)} "
        f"AND state_ IN {states} AND low <= {end} AND high > {start} AND high > low"
    )
