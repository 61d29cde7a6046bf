"""The last refusals, for the status page: why something was not taken, never what it was."""

import re
from collections import deque
from collections.abc import Mapping
from typing import Final

import msgspec

from playhead import observe

KEPT_MAX: Final = 100
_FIELD = re.compile(r"at `\$\.?([\w.\[\]]*)`|required field `(\w+)`|column '(\w+)'")
_REFUSED = observe.counter("refusals", "Requests and events not taken, by reason.", ("code",))


class Refused(msgspec.Struct, frozen=True):
    """One refusal. `at` is UTC ms; `field` the one at fault, empty if it is none."""

    at: int
    door: str
    property: str
    code: str
    message: str
    field: str


def field_in(message: str) -> str:
    """Return the field a decoder's message blames, empty if none."""
    found = _FIELD.search(message)
    return next(filter(None, found.groups()), "") if found else ""


class Refusals:
    """A ring of the last hundred refusals; all are counted by code."""

    def __init__(self) -> None:
        self._ring: deque[Refused] = deque(maxlen=KEPT_MAX)

    def note(self, refused: Refused) -> None:
        """Count a refusal and keep it until a hundred newer ones have come."""
        self._ring.append(refused)
        _REFUSED.labels(refused.code).inc()

    def count(self, codes: Mapping[str, int]) -> None:
        """Count refusals that are not kept, by code: those of one request beyond a hundred."""
        for code, number in codes.items():
            _REFUSED.labels(code).inc(number)

    def recent(self) -> list[Refused]:
        """Return what is kept, newest first."""
        return list(reversed(self._ring))
