"""Caps on distinct values: a dimension that explodes is counted as `other` from there on."""

from collections import Counter

from playhead.model.view import ViewRow

OTHER = "other"
CAPPED_DIMENSIONS = (
    "cdn", "host", "region", "city", "as_org", "device_model", "os", "os_version", "browser",
    "browser_version", "player_name", "player_version", "connection_type", "experiment", "variant",
    "stream_type", "fatal_error_code",
)  # fmt: skip
"""Columns under a cap. Titles and ids are not: a large catalogue is no accident."""


class Caps:
    """The values seen so far of each capped dimension, up to a named number."""

    def __init__(self, max_values: int) -> None:
        self.max_values = max_values
        self.capped: Counter[str] = Counter()
        self._seen: dict[str, set[str]] = {name: set() for name in CAPPED_DIMENSIONS}

    def learn(self, dimension: str, values: list[str]) -> None:
        """Take values that are in the store already."""
        self._seen[dimension].update(values[: self.max_values])

    def apply(self, row: ViewRow) -> None:
        """Replace what lies beyond a cap by `other`, in place."""
        for name, seen in self._seen.items():
            value = getattr(row, name)
            if value in seen or not value:
                continue
            if len(seen) < self.max_values:
                seen.add(value)
            else:
                setattr(row, name, OTHER)
                self.capped[name] += 1
