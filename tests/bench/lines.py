"""A row of the bench's table."""

from typing import NamedTuple


class Line(NamedTuple):
    """One row of the table."""

    what: str
    measured: str
    budget: str
