"""Rows of projects as the log holds them: which way they go, they themselves, what became of them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from playhead.log.base import Record
from playhead.model.event import Into
from playhead.process.rows import Line


class Group(msgspec.Struct, frozen=True):
    """Rows that go the same way."""

    workspace: str
    datasource: str
    shape: str
    quarantine: bool = False

    def into(self) -> Into:
        """Return what stands in the log for it."""
        return Into(
            workspace=self.workspace,
            datasource=self.datasource,
            shape=self.shape,
            quarantine=self.quarantine,
        )


class Made(msgspec.Struct, frozen=True):
    """Rows of one record, a line each."""

    received_at: int
    offset: int
    body: bytes
    rows: int

    def lines(self) -> Iterator[Line]:
        """Yield them one by one."""
        for index, text in enumerate(self.body.split(b"\n")):
            if text:
                yield Line(self.received_at, self.offset, index, text)


class Outcome(msgspec.Struct):
    """What became of the rows of a group."""

    stored: int = 0
    quarantined: int = 0
    dropped: int = 0
    """Their workspace is gone."""
    missed: int = 0
    """Rows stored that a materialized view did not take."""
    aside: list[tuple[Any, ...]] = []
    """Rows for Playhead's own quarantine; `quarantined` counts them, too."""


class Unfit(msgspec.Struct, frozen=True):
    """A row that the engine refuses."""

    line: Line
    reason: str


def group_of(into: Into) -> Group:
    """Return the way of a record's rows."""
    return Group(into.workspace, into.datasource, into.shape, into.quarantine)


def made_of(record: Record, *, gone: int = 0) -> Made:
    """Return the rows of a record; `gone` of them were taken out of the log (`log/rewriting.py`)."""
    body = record.body if record.body.endswith(b"\n") else record.body + b"\n"
    return Made(record.received_at, record.offset, body, record.events - gone)
