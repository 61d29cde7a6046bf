"""The columns of a SCHEMA block: `name Type [`json:PATH`] [DEFAULT expr] [CODEC(…)]`."""

import re
from collections.abc import Sequence
from typing import Final

from playhead.project.families import check_type, type_text
from playhead.project.findings import Findings
from playhead.project.jsonpath import path_fault
from playhead.project.lines import Line
from playhead.project.pieces import Piece, Place, cut, pieces, text_of
from playhead.project.resources import Column

COLUMNS_MAX: Final = 1_000
"""Most columns of a data source."""
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]*", re.ASCII)
_REFUSED: Final = {
    "NULL": ("NULL after a type is not understood.", "Write Nullable(…) around the type."),
    "NOT": (
        "NOT NULL is not understood: a column holds NULL only inside Nullable(…).",
        "Leave NOT NULL out.",
    ),
    "MATERIALIZED": ("A column cannot be MATERIALIZED.", "Write DEFAULT, or fill it in a pipe."),
    "ALIAS": ("A column cannot be an ALIAS.", "Give it that name in a pipe's SELECT."),
    "EPHEMERAL": ("A column cannot be EPHEMERAL.", "Write DEFAULT, or fill it in a pipe."),
    "TTL": ("A column has no TTL of its own.", "Write ENGINE_TTL for the whole row."),
    "COMMENT": ("A column has no COMMENT.", "Write it after -- or in DESCRIPTION."),
}


def read_schema(lines: Sequence[Line], findings: Findings | None = None) -> tuple[Column, ...]:
    """Read a schema.

    Args:
        lines: The lines of the block.
        findings: Where problems are said; without one they are raised.

    Raises:
        Unreadable: There are problems, and no findings were given.
    """
    said = findings or Findings(lines[0].file if lines else "")
    found = _Schema(lines, said).columns() if lines else ()
    if findings is None:
        said.checked()
    return found


class _Schema:
    def __init__(self, lines: Sequence[Line], findings: Findings) -> None:
        self._lines = lines
        self._findings = findings
        self._place = Place(lines)

    def columns(self) -> tuple[Column, ...]:
        found = pieces(self._lines, self._findings)
        if found is None:
            return ()
        groups = cut(found)
        if groups and not groups[-1]:
            groups.pop()
        columns: dict[str, Column] = {}
        for group in groups:
            if not group:
                self._say_empty(found)
                continue
            column = self._column(group)
            if column is None:
                continue
            if column.name in columns:
                self.error(group[0], f"There are two columns '{column.name}'.")
            columns[column.name] = column
            if len(columns) > COLUMNS_MAX:
                self.error(group[0], f"A schema has at most {COLUMNS_MAX} columns.")
                break
        return tuple(columns.values())

    def error(self, piece: Piece, message: str, hint: str = "") -> None:
        line, column = self._place.of(piece.at)
        self._findings.error(line, message, column=column, hint=hint)

    def _say_empty(self, found: Sequence[Piece]) -> None:
        """Say the first comma that no column stands before."""
        before = "comma"
        for piece in found:
            if piece.kind == "comma" and piece.depth == 0 and before == "comma":
                self.error(piece, "A column is missing before this comma.")
                return
            before = before if piece.kind == "space" else piece.kind

    def _column(self, group: Sequence[Piece]) -> Column | None:
        name = self._name(group)
        if name is None:
            return None
        parts = _Parts(self, group)
        return parts.column(name, self._place.of(group[0].at)[0].number)

    def _name(self, group: Sequence[Piece]) -> str | None:
        first = group[0]
        if first.kind == "name":
            name = first.text[1:-1]
            if name and not any(c.isspace() for c in name) and "\\" not in name:
                return name
            self.error(
                first,
                "A name in backticks holds at least one letter, no white space and no backslash.",
            )
            return None
        words = [piece.text.upper() for piece in group if piece.kind == "word"]
        if words[:1] == ["INDEX"] and "TYPE" in words[2:]:
            self.error(first, "An INDEX has no place in SCHEMA.", "Write it in a block INDEXES >.")
            return None
        whole = group[0].text if len(group) == 1 or group[1].kind == "space" else ""
        if first.kind == "word" and _NAME.fullmatch(first.text) and (whole or _ends(group)):
            return first.text
        shown = text_of(group[: next((i for i, p in enumerate(group) if p.kind == "space"), 3)])
        self.error(
            first,
            f"'{shown[:80]}' is no name of a column.",
            "Letters, digits, '_' and '.' make one; anything else goes into backticks.",
        )
        return None


def _ends(group: Sequence[Piece]) -> bool:
    """Whether a name can end before the second piece although no space parts them."""
    return group[1].kind == "path"


class _Parts:
    """What stands after a column's name."""

    def __init__(self, schema: _Schema, group: Sequence[Piece]) -> None:
        self._schema = schema
        self._group = group
        self._at = 1
        self._type: Sequence[Piece] = ()
        self._path: str | None = None
        self._default: str | None = None
        self._codec: str | None = None
        self._failed = False

    def column(self, name: str, line: int) -> Column | None:
        while self._at < len(self._group):
            self._next()
        if self._type:
            check_type(self._type, self._fail)
        elif self._default is None and not self._failed:
            self._fail(self._group[0], f"The column '{name[:80]}' has no type.", _TYPE_HINT)
        kind = type_text(self._type)
        if kind.startswith("Nullable(") and (self._default or "").upper() == "NULL":
            self._default = None
        if self._failed:
            return None
        return Column(
            name=name,
            type=kind,
            json_path=self._path,
            default=self._default,
            codec=self._codec,
            line=line,
        )

    def _fail(self, piece: Piece, message: str, hint: str = "") -> None:
        self._failed = True
        self._at = len(self._group)  # what follows a fault would only be misread
        self._schema.error(piece, message, hint)

    def _next(self) -> None:
        piece = self._group[self._at]
        word = piece.text.upper() if piece.kind == "word" else ""
        if piece.kind == "space":
            self._at += 1
        elif piece.kind == "path":
            self._take_path(piece)
        elif word == "DEFAULT":
            self._take_default(piece)
        elif word == "CODEC" and self._opens(self._at + 1):
            self._take_codec(piece)
        elif word in _REFUSED and (self._type or word == "NOT"):
            self._fail(piece, *_REFUSED[word])
        elif not self._type:
            end = self._end_of_brackets(self._at + 1)
            self._type = self._group[self._at : end]
            self._at = end
        else:
            self._fail(
                piece,
                f"'{piece.text[:80]}' is unexpected after the column's type.",
                "A comma stands between columns.",
            )

    def _take_path(self, piece: Piece) -> None:
        path = piece.text[len("`json:") : -1].strip()
        fault = path_fault(path) or ("A column has one JSON path." if self._path else "")
        if fault:
            self._fail(piece, fault, "Examples: $.view.id, $.tags[:], $.")
        self._path = path
        self._at += 1

    def _take_default(self, piece: Piece) -> None:
        if self._codec is not None or self._default is not None:
            after = "CODEC" if self._codec is not None else "another DEFAULT"
            self._fail(piece, f"DEFAULT cannot stand after {after}.", "DEFAULT comes before CODEC.")
            return
        end = self._at + 1
        while end < len(self._group) and not self._ends_default(end):
            end += 1
        self._default = text_of(self._group[self._at + 1 : end])
        self._at = end
        if not self._default:
            self._fail(piece, "DEFAULT is followed by an expression.", "DEFAULT '' or DEFAULT 0.")

    def _ends_default(self, at: int) -> bool:
        piece = self._group[at]
        if piece.kind == "path":
            return True
        if piece.kind != "word" or piece.depth > self._group[0].depth:
            return False
        word = piece.text
        first = not text_of(self._group[self._at + 1 : at]) if at - self._at < 3 else False
        if word.upper() == "CODEC" and self._opens(at + 1):
            return True
        return word in ("DEFAULT", "TTL", "MATERIALIZED", "ALIAS", "COMMENT") and not first

    def _take_codec(self, piece: Piece) -> None:
        if self._codec is not None:
            self._fail(piece, "A column has one CODEC.", "Write CODEC(Delta, ZSTD).")
            return
        end = self._end_of_brackets(self._at + 1)
        inner = text_of(self._group[self._at + 1 : end]).removeprefix("(").removesuffix(")").strip()
        if not inner:
            self._fail(piece, "CODEC is followed by the codecs in brackets.", "CODEC(ZSTD(3)).")
        self._codec = inner
        self._at = end

    def _opens(self, at: int) -> bool:
        while at < len(self._group) and self._group[at].kind == "space":
            at += 1
        return at < len(self._group) and self._group[at].text == "("

    def _end_of_brackets(self, at: int) -> int:
        """Return the end of the brackets that begin there; the place itself when none do."""
        if not self._opens(at):
            return at
        depth = self._group[0].depth
        end = at
        while self._group[end].kind == "space":
            end += 1
        end += 1
        while self._group[end].kind != "close" or self._group[end].depth > depth:
            end += 1
        return end + 1


_TYPE_HINT: Final = "Write a name, then a type: view_id String."
