"""What the first question after a start would wait for, done beforehand.

The store opens the files of the sums, and reads where in them what stands, when they are first asked
for: a tenth to a fifth of a second of processor time.
"""

import asyncio
from itertools import count, takewhile
from typing import Final

from playhead.errors import PlayheadError
from playhead.observe import logger
from playhead.query import metrics
from playhead.query.question import Asking, Question, question_of
from playhead.query.reader import Reader
from playhead.query.rolled_days import Days
from playhead.query.rollup import look
from playhead.query.span import DAY_MS

TRIES_MAX: Final = 300
AGAIN_S: Final = 0.2
"""The store starts beside: so often, and so far apart, it is asked until it answers."""
DAYS_MAX: Final = 31
_LOG = logger("readiness")


async def make_ready(reader: Reader) -> None:
    """Look which days have sums, and ask for some, as the first question does.

    Nothing depends on it: what goes wrong is logged, and the first question only takes longer.
    """
    if not reader.config.query.use_rollups:
        return
    for tried in count(1):
        try:
            days = await look(reader)
            question = _question(reader, days)
            if question is not None:
                await metrics.breakdown(reader, question)
        except PlayheadError as error:
            if tried == TRIES_MAX:
                _LOG.warning("sums_not_read", code=error.code, reason=error.message)
                return
            await asyncio.sleep(AGAIN_S)
        else:
            return


def _question(reader: Reader, days: Days) -> Question | None:
    """Return a question that is answered by sums alone: of the newest days that have some in a row."""
    known = [one.day for one in days.makings[:DAYS_MAX]]
    row = list(takewhile(lambda pair: pair[0] == known[0] - pair[1], zip(known, count())))
    if not row:
        return None
    values = {
        "from": [str(row[-1][0] * DAY_MS)],
        "to": [str((row[0][0] + 1) * DAY_MS)],
        "group_by": ["country"],
    }
    asking = Asking(catalogue=reader.catalogue, config=reader.config, now_ms=reader.now_ms())
    return question_of(reader.catalogue.metric("unique_viewers"), "breakdown", values, asking)
