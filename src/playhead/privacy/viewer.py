"""Whose data is asked for, and how a text names them."""

import re
from functools import cached_property
from typing import Final
from urllib.parse import quote

import msgspec

from playhead.errors import InvalidRequest
from playhead.model.telemetry import ID_LENGTH_MAX

COLUMNS_MAX: Final = 100
WORD_FROM: Final = 8
"""An id of so many characters is taken for meant wherever it stands as a word of its own; a shorter
one could be any number."""
_COLUMN: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,127})\.([A-Za-z_][A-Za-z0-9_]{0,127})")
_SPECIAL: Final = re.compile(r"([\\.^$|?*+()\[\]{}])")
_BACKSLASHED: Final = r"\\\1"


class Column(msgspec.Struct, frozen=True):
    """A column of a project's data source that holds ids of viewers."""

    datasource: str
    name: str


class Viewer(msgspec.Struct, frozen=True, dict=True):
    """A person as players name them."""

    id: str
    property: str = ""
    """"" = of any property."""
    columns: tuple[Column, ...] = ()
    """Of projects, beside what is ours."""

    @cached_property
    def forms(self) -> list[str]:
        """Return the id as it may stand in a text: as it is, in a URL, in JSON."""
        return list(dict.fromkeys((self.id, quote(self.id, safe=""), _escaped(self.id))))

    @cached_property
    def pattern(self) -> str:
        """Return the regular expression (RE2 and Python alike) of a text that names them.

        As a whole; quoted; as the value of a parameter or a step of a path; and, where the id is
        long enough to be nobody else's, as a word.
        """
        name = f"(?:{'|'.join(_SPECIAL.sub(_BACKSLASHED, form) for form in self.forms)})"
        ways = [rf"^{name}$", rf'"{name}\\*"', rf"[=/]{name}(?:$|[/?&#\s\"])"]
        if len(self.id) >= WORD_FROM:
            ways.append(rf"(?:^|[^A-Za-z0-9_-]){name}(?:$|[^A-Za-z0-9_-])")
        return "|".join(ways)

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """Return the same for texts in memory."""
        return re.compile(self.pattern)

    @cached_property
    def is_telling(self) -> bool:
        """Return whether the id can be nobody else's: in addresses, numbers are of content."""
        return len(self.id) >= WORD_FROM and not self.id.isdigit()

    def is_in(self, text: bytes) -> bool:
        """Return whether a text names them."""
        return self.expression.search(text.decode("utf-8", "surrogateescape")) is not None


def viewer_of(id_: str, property_: str, columns: tuple[str, ...]) -> Viewer:
    """Return whom a request is about.

    Raises:
        InvalidRequest: There is no id, it is longer than any, or a column is named wrongly.
    """
    if not id_ or len(id_) > ID_LENGTH_MAX or not id_.isprintable():
        raise InvalidRequest(f"A viewer's id has 1 to {ID_LENGTH_MAX} printable characters.")
    if len(columns) > COLUMNS_MAX:
        raise InvalidRequest(f"More than {COLUMNS_MAX} columns.")
    found = []
    for text in dict.fromkeys(columns):
        match = _COLUMN.fullmatch(text)
        if match is None:
            raise InvalidRequest(
                f"'{text[:80]}' names no column.", hint="Write it as data_source.column."
            )
        found.append(Column(match[1], match[2]))
    return Viewer(id_, property_, tuple(found))


def _escaped(text: str) -> str:
    """Return a text as JSON writes it inside quotes."""
    return msgspec.json.encode(text).decode()[1:-1]
