"""Text of a query to the engine's tree and back; the engine does both."""

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec

from playhead.errors import QueryFailed, QueryRefused
from playhead.query.guard.nodes import Tree
from playhead.store.async_client import AsyncStoreClient
from playhead.store.result import Limits

BYTES_MAX: Final = 262_144
LIMITS: Final = Limits(timeout_ms=5_000)
_PARSE = "SELECT parseQueryToJSON({q:String})"
_PARSE_MANY = "SELECT arrayMap(q -> parseQueryToJSON(q), {q:Array(String)})"
_TEXT = "SELECT formatQueryFromJSON({t:String}) AS text, parseQueryToJSON(text)"
_SETTINGS: Final = {"max_query_size": 16 * BYTES_MAX}
_POSITION: Final = re.compile(r"failed at position (\d+)")
_WORD: Final = re.compile(r"\s*([A-Za-z]+)\b")
_EXPECTED: Final = re.compile(r"\. Expected (?:one of: )?(.*)", re.DOTALL)
_WHOLE_FLOAT: Final = re.compile(rb'("field_type":"Float64","value":-?\d+)(?=})')
_OPERATOR: Final = b'"is_operator":true,'
_WORDS_MAX: Final = 5
_NEAR_CHARS: Final = 40
_TREE: Final = msgspec.json.Decoder(dict)
_SORTED: Final = msgspec.json.Encoder(order="sorted")
_DEPTH_CODES: Final = {167: "too deeply nested", 306: "too deeply nested", 168: "too large"}


class Trees:
    """Parses and writes queries; keeps the trees of the texts seen last."""

    def __init__(
        self, store: AsyncStoreClient, *, entries_max: int, bytes_max: int = BYTES_MAX
    ) -> None:
        self._store = store
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    async def parse(self, sql: str) -> Tree:
        """Return the tree of one statement, the caller's to change.

        Raises:
            QueryRefused: It is no statement, or too long; says where it stops making sense.
            PlayheadError: The store does not answer.
        """
        kept = self._kept.get(sql)
        if kept is None:
            self._check_length(sql)
            kept = await self._ask(sql)
            self._keep(sql, kept)
        else:
            self._kept.move_to_end(sql)
        return _decoded(kept)

    async def parse_many(self, sqls: Sequence[str]) -> list[Tree]:
        """Return the trees of several statements, asked of the store at once.

        Raises:
            QueryRefused: The first that is no statement, as `parse`.
        """
        missing = list(dict.fromkeys(sql for sql in sqls if sql not in self._kept))
        for sql in missing:
            self._check_length(sql)
        found: dict[str, bytes] = {}
        if len(missing) > 1:
            try:
                rows = await self._store.rows(
                    _PARSE_MANY, {"q": missing}, limits=LIMITS, settings=_SETTINGS
                )
                found = {
                    sql: text.encode() for sql, text in zip(missing, rows.rows[0][0], strict=True)
                }
            except QueryFailed:
                found = {}  # one of them is wrong: asked one by one below, to say which
        for sql, text in found.items():
            self._keep(sql, text)
        return [_decoded(found[sql]) if sql in found else await self.parse(sql) for sql in sqls]

    async def text(self, tree: Tree) -> str:
        """Return the statement a tree stands for.

        The engine parses it once more: a text that would not be read as this tree is refused, so
        no flaw in the writing of names can change what was examined.

        Raises:
            QueryRefused: It cannot be written, or is too long.
        """
        given = _SORTED.encode(tree)
        try:
            rows = await self._store.rows(
                _TEXT, {"t": given.decode()}, limits=LIMITS, settings=_SETTINGS
            )
        except QueryFailed as error:
            raise QueryRefused(_not_written(error)) from error
        text, again = rows.rows[0]
        self._check_length(text)
        if _bare(_SORTED.encode(_decoded(again.encode()))) != _bare(given):
            raise QueryRefused(
                "A name in the query cannot be written back exactly as it was given.",
                hint="Names that are words of SQL, such as NOT, CASE, DATE or INTERVAL, need to be "
                "qualified by their table or named otherwise.",
            )
        return str(text)

    def _keep(self, sql: str, tree: bytes) -> None:
        self._kept[sql] = tree
        if len(self._kept) > self._entries_max:
            self._kept.popitem(last=False)

    def _check_length(self, sql: str) -> None:
        length = len(sql.encode())
        if length > self._bytes_max:
            raise QueryRefused(
                f"The query is {length} bytes long; at most {self._bytes_max} are taken."
            )

    async def _ask(self, sql: str) -> bytes:
        try:
            rows = await self._store.rows(_PARSE, {"q": sql}, limits=LIMITS, settings=_SETTINGS)
        except QueryFailed as error:
            raise QueryRefused(syntax_sentence(error.message, error.engine_code, sql)) from error
        return str(rows.rows[0][0]).encode()


def _decoded(tree: bytes) -> Tree:
    """Return the tree; floats stay floats.

    The engine writes -0.0 as -0 and 1e20 as its digits, and reads neither back as it was.
    """
    try:
        found: Tree = _TREE.decode(_WHOLE_FLOAT.sub(rb"\1.0", tree))
    except RecursionError as error:
        raise QueryRefused("The query is too deeply nested.") from error
    return found


def _bare(tree: bytes) -> bytes:
    """Return a tree without how its operators were written: `a + b` is `plus(a, b)`."""
    return tree.replace(_OPERATOR, b"")


def syntax_sentence(message: str, code: int, sql: str) -> str:
    """Return what the engine says against a text, without the text itself.

    The engine's position counts bytes from 1; the sentence gives line and column.
    """
    if code in _DEPTH_CODES:
        return f"The query is {_DEPTH_CODES[code]}."
    if "Multi-statements are not allowed" in message:
        return "Only one statement can be run at a time; this text holds more than one."
    if "Empty query" in message:
        return "The query is empty."
    found = _POSITION.search(message)
    if not found:
        word = _WORD.match(sql)  # INSERT, DESCRIBE and others have no tree
        if word and word[1].upper() not in {"SELECT", "WITH", "FROM"}:
            return f"Only SELECT can be run here; this begins with {word[1].upper()}."
        return "The query cannot be read as SQL."
    raw = sql.encode()
    at = min(int(found[1]) - 1, len(raw))
    before = raw[:at].decode("utf-8", "replace")
    near = raw[at : at + 4 * _NEAR_CHARS].decode("utf-8", "replace")[:_NEAR_CHARS].strip()
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    where = f"near '{near}'" if near else "at the end"
    return f"Syntax error in line {line}, column {column}, {where}{_expected(message)}."


def _expected(message: str) -> str:
    found = _EXPECTED.search(message.split(": In scope", maxsplit=1)[0])
    if not found:
        return ""
    text = found[1].split(". (", maxsplit=1)[0].split(":", maxsplit=1)[0]
    # Words of SQL are told; names of the parser's own parts are not.
    words = [word.strip() for word in text.split(",") if word.strip().isupper()]
    more = ", …" if len(words) > _WORDS_MAX else ""
    return f": expected {', '.join(words[:_WORDS_MAX])}{more}" if words else ""


def _not_written(error: QueryFailed) -> str:
    if error.engine_code in _DEPTH_CODES:
        return f"The query is {_DEPTH_CODES[error.engine_code]}."
    if "unsigned integer" in error.message or "integer" in error.message:
        return "A number in the query has more than 64 bits; write it as text and convert it."
    return "The query cannot be written back by the store as it was given."
