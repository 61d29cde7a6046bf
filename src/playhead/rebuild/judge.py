"""What becomes of the views of one key on one day: rows to write, rows to remove, rows that stay.

A view is folded again only if all its events are still there. Retention removes whole days of events,
the oldest first, so a view may have lost its beginning: then fewer events are stored than its row counts,
or the row made anew bears another day or another id. Such rows stay as they are.
"""

from collections.abc import Sequence

import msgspec

from playhead.model.view import ViewRow, as_of_ms
from playhead.rebuild.live import DayCaps, LiveRow
from playhead.rebuild.progress import Tally

Id = tuple[str, str]
"""View id and property."""


class Judged(msgspec.Struct):
    """What is to be done about the views of some keys."""

    write: list[ViewRow] = []
    remove: list[Id] = []
    tally: Tally = msgspec.field(default_factory=Tally)

    def add(self, other: "Judged") -> None:
        """Add what is to be done about more views."""
        self.write += other.write
        self.remove += other.remove
        self.tally.add(other.tally)


def is_whole(live: Sequence[LiveRow], anew: Sequence[ViewRow], day: str) -> bool:
    """Return whether every final row of a key on a day can be made anew of the events there are."""
    found = {(row.view_id, row.property): row for row in anew if row.first_seen_day == day}
    return all(
        (row := found.get(old.id)) is not None and row.events >= old.events
        for old in live
        if old.final
    )


def judge(
    live: Sequence[LiveRow], anew: Sequence[ViewRow], day: str, caps: DayCaps, *, may_cut: bool
) -> Judged:
    """Return what becomes of a key's views on a day.

    Args:
        live: Its rows of the day, open ones too.
        anew: The rows that the fold makes of all its stored events, of every day.
        day: The day of receipt (ISO).
        caps: Of the day.
        may_cut: All its events are known to be stored, so views may be cut otherwise than before.
    """
    judged = Judged(tally=Tally(views=len(live)))
    tally = judged.tally
    final = [old for old in live if old.final]
    tally.not_final = len(live) - len(final)
    is_same_cut = is_whole(live, anew, day)
    if not anew or not (may_cut or is_same_cut):
        tally.events_gone = len(final)
        return judged
    found = {(row.view_id, row.property): row for row in anew if row.first_seen_day == day}
    if any(_is_newer(old, found.get(old.id), anew[0]) for old in final):
        # All or none: its views share events, and would count some twice or not at all.
        tally.newer = len(final)
        return judged
    if not is_same_cut and not all(row.final for row in anew):
        tally.not_final += len(final)  # the worker goes on with the last of them, as it was cut
        return judged
    for old in final:
        row = found.get(old.id)
        if row is None:
            judged.remove.append(old.id)
            tally.removed += 1
        elif not row.final:
            tally.not_final += 1
        else:
            _replace(old, row, caps, judged)
    known = {old.id for old in live}
    for id_, row in found.items():
        if id_ not in known and row.final:
            caps.apply(row, None)
            judged.write.append(row)
            tally.added += 1
    return judged


def _is_newer(old: LiveRow, row: ViewRow | None, any_row: ViewRow) -> bool:
    """Return whether a row was written so late that one made anew would not replace it."""
    if row is None:
        return as_of_ms(old.version) > as_of_ms(any_row.version)
    return old.version >= row.version and (old.differs(row) or not old.is_marked_as(row))


def _replace(old: LiveRow, row: ViewRow, caps: DayCaps, judged: Judged) -> None:
    row.duplicates = old.duplicates  # of what came twice nothing is stored
    caps.apply(row, old)
    if old.differs(row):
        judged.tally.changed += 1
    elif old.is_marked_as(row):
        return
    else:
        judged.tally.marked += 1
    judged.write.append(row)
