"""How the other views fared while one had trouble: by minute and CDN, how many there were and stalled."""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from collections.abc import Sequence
from typing import Any, Final

from playhead.errors import QueryTimeout, ResultTooLarge, StoreBusy
from playhead.model.states import State
from playhead.query.crowd import STALLED, VIEWS, present_sql
from playhead.query.reader import Reader
from playhead.query.scope import Scope
from playhead.query.span import MINUTE_MS, Span
from playhead.query.statement import Params, Statement
from playhead.query.trouble import Crowds

_WATCHED: Final = (State.PLAYING, State.AD, *STALLED)


async def neighbours(
    reader: Reader, scope: Scope, view: dict[str, Any], minutes: Sequence[int]
) -> Crowds:
    """Return minute → CDN → (views, stalled views) of the view's property, without the view itself.

    Nothing where it would cost too much now: a view is shown with less sure causes rather than not.

    Args:
        reader: Where to read.
        scope: What the token may see.
        view: A view row with `view_id` and `property`.
        minutes: Starts of minutes, UTC ms.
    """
    if not minutes:
        return {}
    params = Params()
    span = Span(min(minutes), max(minutes) + MINUTE_MS)
    within = Scope(property=view["property"])
    watched = params.add("Array(String)", [str(state) for state in _WATCHED])
    stalled = params.add("Array(String)", [str(state) for state in STALLED])
    during = (
        f"arrayFilter(m -> low < m + {MINUTE_MS} AND upto > m, "
        f"{params.add('Array(Int64)', list(minutes))})"
    )
    sql = (
        "SELECT minute, named, uniqExact(view_id) AS views, "
        f"uniqExactIf(view_id, state_ IN {stalled}) AS stalled FROM ("
        f"SELECT view_id, state_, toString(if(cdn_ = '', cdn, cdn_)) AS named, "
        f"arrayJoin({during}) AS minute FROM {VIEWS} FINAL "
        "ARRAY JOIN interval_state AS state_, interval_from AS low, interval_to AS upto, "
        "interval_cdn AS cdn_ "
        f"WHERE {present_sql(reader, within, span, params)} AND state_ IN {watched} "
        f"AND view_id != {params.add('String', view['view_id'])}"
        f") GROUP BY minute, named LIMIT {params.add('UInt32', reader.config.query.max_result_rows)}"
    )
    keep_ms = reader.keep_ms(span)
    try:
        rows = await reader.rows(Statement(sql, params.values()), scope, keep_ms=keep_ms)
    except (QueryTimeout, ResultTooLarge, StoreBusy):
        return {}
    found: dict[int, dict[str, tuple[int, int]]] = {}
    for row in rows:
        found.setdefault(int(row["minute"]), {})[row["named"]] = (row["views"], row["stalled"])
    return found
