"""A command in the log: what it does happens exactly between the rows before it and those after."""

from typing import Final, Literal

import msgspec

from playhead.model.forgotten import Forget

DOOR: Final = "commands"
"""The door of log records that hold a command."""
Op = Literal["truncate", "delete", "replace", "replace_partitions", "forget"]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A table of the store."""

    database: str
    table: str


class Swap(msgspec.Struct, frozen=True, array_like=True):
    """A table and the one that takes its place; `uuid` is the new one's, so that it happens once."""

    live: Place
    new: Place
    uuid: str = ""
    condition: str = ""
    """Of a replacement by partitions, with the first table: which rows of it are replaced."""


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be done at one place of the log. Doing it twice does no more than once."""

    op: Op
    job: str
    """Who waits for it."""
    workspace: str = ""
    datasource: str = ""
    tables: tuple[Place, ...] = ()
    """To truncate, or to delete from."""
    condition: str = ""
    """Of a delete: which rows; checked when the command was made."""
    swaps: tuple[Swap, ...] = ()
    """Of a replacement."""
    forget: Forget | None = None
    """Whom, of `forget`."""
