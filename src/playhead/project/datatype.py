"""A type of the engine, taken apart: `Nullable(DateTime64(3))` is `Nullable` of one part."""

import re
from typing import Final

import msgspec

from playhead.project.expression import parts, tokens

_TYPE: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\((.*)\))?\s*", re.DOTALL)
_FIELD: Final = re.compile(r"\s*(?:`([^`\s]+)`|([A-Za-z_][A-Za-z0-9_]*))\s+(?=\S)", re.DOTALL)


class DataType(msgspec.Struct, frozen=True):
    """A name and what stands in its brackets, cut at the commas, as text."""

    name: str
    parts: tuple[str, ...]
    text: str

    def part(self, index: int = 0) -> "DataType":
        """Return the type that stands there; raises ValueError as `datatype`."""
        if index >= len(self.parts):
            raise ValueError(f"the type {self.text} lacks what belongs in its brackets")
        return datatype(self.parts[index])

    def fields(self) -> list[tuple[str, "DataType"]]:
        """Return the named parts of a Tuple or Nested; a name is "" where there is none."""
        found = []
        for part in self.parts:
            named = _FIELD.match(part)
            if named:
                found.append((named[1] or named[2], datatype(part[named.end() :])))
            else:
                found.append(("", datatype(part)))
        return found

    def bare(self) -> "DataType":
        """Return the type without LowCardinality, Nullable and SimpleAggregateFunction around."""
        if self.name in ("LowCardinality", "Nullable"):
            return self.part().bare()
        if self.name == "SimpleAggregateFunction":
            return self.part(1).bare()
        return self

    @property
    def nullable(self) -> bool:
        """Whether it holds NULL."""
        if self.name in ("Nullable", "Dynamic", "Variant"):
            return True
        if self.name == "LowCardinality":
            return self.part().nullable
        return self.name == "SimpleAggregateFunction" and self.part(1).nullable


def datatype(text: str) -> DataType:
    """Take a type apart.

    Raises:
        ValueError: It is not one name with at most one pair of brackets after it.
    """
    match = _TYPE.fullmatch(text)
    try:
        closed = [t for t in tokens(text) if t.kind == "close" and t.depth == 0]
        inside = tuple(parts(match[2] or "")) if match else ()
    except ValueError as error:
        raise ValueError(f"the type {text.strip()} {error}") from error
    if match is None or len(closed) > 1:
        raise ValueError(f"{text.strip()!r} is no type")
    return DataType(match[1], inside, text.strip())
