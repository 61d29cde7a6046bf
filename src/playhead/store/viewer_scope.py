"""What belongs to one viewer, as SQL: their views, their sessions, and what names only those.

A view belongs to them when an event or row of it bears their id; so do the views of their sessions
that name nobody. A view in which another viewer is named, too, keeps that one's part.
"""

# ruff: noqa: S608 (names of ours, hashes and literals: an id is bound, or not there at all)

from typing import Final

import msgspec

_SOURCES: Final = ("playhead.events", "playhead.views")


class ViewerScope(msgspec.Struct, frozen=True):
    """Whose: conditions in the engine's SQL, made of bound values or literals of ours alone."""

    match: str
    """Says of a row with `viewer_id` and `property` that it is theirs."""

    def viewers(self) -> str:
        """Return a query for (property, viewer_id) as they are stored."""
        return _union(
            "SELECT DISTINCT property, viewer_id AS value FROM {source} WHERE {match}", self
        )

    def sessions(self) -> str:
        """Return a query for (property, session_id)."""
        return _union(
            "SELECT DISTINCT property, session_id AS value FROM {source}"
            " WHERE {match} AND session_id != ''",
            self,
        )

    def views(self) -> str:
        """Return a query for (property, view_key) of views that name them."""
        return _union(
            "SELECT DISTINCT property, view_key AS value FROM {source} WHERE {match}", self
        )

    def nameless(self, sessions: str) -> str:
        """Return a query for (property, view_key) of views in their sessions that name nobody.

        Args:
            sessions: A query for (property, session_id).
        """
        return _union(
            "SELECT property, view_key AS value FROM {source}"
            f" WHERE (property, session_id) IN ({sessions})"
            " GROUP BY property, view_key HAVING countIf(viewer_id != '') = 0",
            self,
        )


def _union(text: str, scope: ViewerScope) -> str:
    return " UNION DISTINCT ".join(
        text.replace("{source}", source).replace("{match}", f"({scope.match})")
        for source in _SOURCES
    )
