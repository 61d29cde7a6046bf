"""What makes the rows of two folds comparable: the fold's version, that of the scores, its settings.

The worker leaves it in its ledger. Whoever folds the same events elsewhere compares: with another stamp
the rows would come out otherwise than the worker's, and go to and fro with every late event.
"""

from typing import Any, Final

import msgspec

from playhead.model.view import FOLD_VERSION, SCORE_VERSION
from playhead.process.fold import Limits

NOTE: Final = "fold"
"""The ledger's note that holds it."""


def stamp_of(limits: Limits) -> str:
    """Return what a fold with these limits is known by, as JSON."""
    of = {"fold_version": FOLD_VERSION, "score_version": SCORE_VERSION}
    return msgspec.json.encode(of | msgspec.structs.asdict(limits), order="sorted").decode()


def differences(one: str, other: str) -> list[str]:
    """Return the names of what differs between two stamps, in order; both must be stamps."""
    first: dict[str, Any] = msgspec.json.decode(one)
    second: dict[str, Any] = msgspec.json.decode(other)
    names = sorted(first.keys() | second.keys())
    return [name for name in names if first.get(name) != second.get(name)]
