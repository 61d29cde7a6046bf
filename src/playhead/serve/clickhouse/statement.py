"""Statements that are no SELECT and that clients ask all the same: each is a SELECT over the catalogue."""

import re
from typing import Final

import msgspec

from playhead.errors import QueryRefused
from playhead.store.binding import literal

STATEMENT_CHARS_MAX: Final = 2_000
"""A longer one is none of these."""
_NAME: Final = r'(?:`(?:[^`\\]|\\.)+`|"(?:[^"\\]|\\.)+"|[A-Za-z_]\w*)'
_PATH: Final = rf"(?P<path>{_NAME}(?:\s*\.\s*{_NAME})?)"
_FROM: Final = rf"(?:\s+(?:FROM|IN)\s+(?P<database>{_NAME}))?"
_LIKE: Final = r"(?:\s+(?P<how>(?:NOT\s+)?I?LIKE)\s+'(?P<pattern>(?:[^'\\]|\\.)*)')?"
_LIMIT: Final = r"(?:\s+LIMIT\s+(?P<limit>\d{1,9}))?"
_END: Final = r"(?:\s+FORMAT\s+(?P<format>\w+))?\s*;?\s*"
_SKIP: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)+", re.DOTALL)
_FIRST: Final = re.compile(r"[A-Za-z]+")
_QUERIES: Final = frozenset({"SELECT", "WITH", "FROM", "("})


def _form(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(" ", r"\s+") + _END, re.IGNORECASE)


_DESCRIBE: Final = _form(rf"(?:DESCRIBE|DESC)(?: TABLE)? {_PATH}")
_DESCRIBE_QUERY: Final = re.compile(
    r"(?:DESCRIBE|DESC)(?:\s+TABLE)?\s*\((?P<query>.+)\)" + _END, re.IGNORECASE | re.DOTALL
)
_CREATE: Final = _form(rf"SHOW CREATE(?: (?:TABLE|VIEW|DICTIONARY))? {_PATH}")
_CREATE_DATABASE: Final = _form(rf"SHOW CREATE DATABASE {_PATH}")
_TABLES: Final = _form(rf"SHOW(?: FULL)?(?: TEMPORARY)? TABLES{_FROM}{_LIKE}{_LIMIT}")
_DATABASES: Final = _form(rf"SHOW (?:DATABASES|SCHEMAS){_LIKE}{_LIMIT}")
_COLUMNS: Final = _form(
    rf"SHOW(?: EXTENDED)?(?: FULL)? (?:COLUMNS|FIELDS) (?:FROM|IN) {_PATH}{_FROM}{_LIKE}{_LIMIT}"
)
_FUNCTIONS: Final = _form(rf"SHOW FUNCTIONS{_LIKE}")
_SETTINGS: Final = _form(rf"SHOW(?: CHANGED)? SETTINGS{_LIKE}")
_ENGINES: Final = _form("SHOW ENGINES")
_EXISTS: Final = _form(rf"EXISTS(?: (?:TABLE|VIEW))? {_PATH}")
_EXISTS_DATABASE: Final = _form(rf"EXISTS DATABASE {_PATH}")
_NOTHING: Final = re.compile(
    rf"(?:USE\s+(?P<use>{_NAME})|SET\s+.+);?\s*", re.IGNORECASE | re.DOTALL
)
_DESCRIBED: Final = (
    "name, type, default_kind AS default_type, default_expression, comment,"
    " '' AS codec_expression, '' AS ttl_expression"
)


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement comes down to."""

    sql: str = ""
    """A SELECT; "" = there is nothing to do, and no answer."""
    format: str = ""
    """The FORMAT it asks for, where `sql` does not say."""
    describe: bool = False
    """The columns of `sql` are asked for, not its rows."""
    one: str = ""
    """What does not exist when the SELECT finds nothing; "" = nothing is an answer, too."""


def understood(text: str, database: str) -> Statement:
    """Return what a statement comes down to.

    Args:
        text: As it was sent.
        database: The one that is meant where none is named.

    Raises:
        QueryRefused: It would change something, or is of a kind that is not answered here.
    """
    start = _SKIP.match(text)
    bare = text[start.end() if start else 0 :].strip()
    found = _FIRST.match(bare)
    word = found[0].upper() if found else bare[:1]
    if word in _QUERIES or not word:
        return Statement(sql=bare.rstrip("; \t\r\n"))
    if len(bare) <= STATEMENT_CHARS_MAX or word.startswith("DESC"):
        made = _over_catalogue(bare, database)
        if made is not None:
            return made
    if word in {"SHOW", "EXISTS", "DESCRIBE", "DESC", "EXPLAIN"}:
        raise QueryRefused(
            f"This form of {word} is not answered here.",
            hint="SHOW TABLES, DATABASES, COLUMNS, CREATE TABLE, FUNCTIONS, SETTINGS, DESCRIBE and"
            " EXISTS are; so is SELECT over system.tables and system.columns.",
        )
    raise QueryRefused(
        f"This interface only reads, and {word[:40]} does not; nothing was changed.",
        hint="Send rows to /v0/events, and files to /v0/datasources.",
    )


def _over_catalogue(text: str, database: str) -> Statement | None:
    nothing = _NOTHING.fullmatch(text)
    if nothing:
        return Statement()
    query = _DESCRIBE_QUERY.fullmatch(text)
    if query:
        return Statement(sql=query["query"], describe=True, format=query["format"] or "")
    for form, make in _FORMS:
        match = form.fullmatch(text)
        if match:
            sql, one = make(match, database)
            return Statement(sql=sql, format=match["format"] or "", one=one)
    return None


def _describe(match: re.Match[str], database: str) -> tuple[str, str]:
    where, name = _of_table(match, database)
    sql = f"SELECT {_DESCRIBED} FROM system.columns WHERE {where} ORDER BY position"  # noqa: S608
    return sql, name


def _create(match: re.Match[str], database: str) -> tuple[str, str]:
    database, table = _path(match["path"], database)
    sql = (
        "SELECT create_table_query AS statement FROM system.tables"  # noqa: S608 (quoted)
        f" WHERE database = {literal(database)} AND name = {literal(table)}"
    )
    return sql, f"{database}.{table}"


def _create_database(match: re.Match[str], _: str) -> tuple[str, str]:
    name = _unquoted(match["path"])
    sql = (
        "SELECT concat('CREATE DATABASE ', name, ' ENGINE = ', engine) AS statement"  # noqa: S608
        f" FROM system.databases WHERE name = {literal(name)}"
    )
    return sql, name


def _tables(match: re.Match[str], database: str) -> tuple[str, str]:
    named = _unquoted(match["database"]) if match["database"] else database
    where = f"database = {literal(named)}{_like(match, 'name')}"
    return f"SELECT name FROM system.tables WHERE {where} ORDER BY name{_limit(match)}", ""  # noqa: S608


def _databases(match: re.Match[str], _: str) -> tuple[str, str]:
    where = f"1{_like(match, 'name')}"
    return f"SELECT name FROM system.databases WHERE {where} ORDER BY name{_limit(match)}", ""  # noqa: S608


def _columns(match: re.Match[str], database: str) -> tuple[str, str]:
    if match["database"]:
        database = _unquoted(match["database"])
    where, _ = _of_table(match, database)
    sql = (
        "SELECT name AS field, type, if(startsWith(type, 'Nullable'), 'YES', 'NO') AS `null`,"  # noqa: S608
        " if(is_in_primary_key, 'PRI SOR', if(is_in_sorting_key, 'SOR', '')) AS key,"
        " default_expression AS `default`, '' AS extra FROM system.columns"
        f" WHERE {where}{_like(match, 'name')} ORDER BY position{_limit(match)}"
    )
    return sql, ""


def _functions(match: re.Match[str], _: str) -> tuple[str, str]:
    where = f"1{_like(match, 'name')}"
    return f"SELECT * FROM system.functions WHERE {where} ORDER BY name", ""  # noqa: S608


def _settings(match: re.Match[str], _: str) -> tuple[str, str]:
    where = f"1{_like(match, 'name')}"
    return f"SELECT name, type, value FROM system.settings WHERE {where} ORDER BY name", ""  # noqa: S608


def _engines(_: re.Match[str], __: str) -> tuple[str, str]:
    return "SELECT * FROM system.table_engines ORDER BY name", ""


def _exists(match: re.Match[str], database: str) -> tuple[str, str]:
    database, table = _path(match["path"], database)
    where = f"database = {literal(database)} AND name = {literal(table)}"
    return f"SELECT toUInt8(count() > 0) AS result FROM system.tables WHERE {where}", ""  # noqa: S608


def _exists_database(match: re.Match[str], _: str) -> tuple[str, str]:
    name = literal(_unquoted(match["path"]))
    return f"SELECT toUInt8(count() > 0) AS result FROM system.databases WHERE name = {name}", ""  # noqa: S608


_FORMS: Final = (
    (_CREATE_DATABASE, _create_database),
    (_CREATE, _create),
    (_EXISTS_DATABASE, _exists_database),
    (_EXISTS, _exists),
    (_TABLES, _tables),
    (_DATABASES, _databases),
    (_COLUMNS, _columns),
    (_FUNCTIONS, _functions),
    (_SETTINGS, _settings),
    (_ENGINES, _engines),
    (_DESCRIBE, _describe),
)


def _of_table(match: re.Match[str], database: str) -> tuple[str, str]:
    database, table = _path(match["path"], database)
    where = f"database = {literal(database)} AND table = {literal(table)}"
    return where, f"{database}.{table}"


def _path(text: str, database: str) -> tuple[str, str]:
    """Return database and table of a name that may be quoted."""
    parts = re.findall(_NAME, text)
    return (_unquoted(parts[0]), _unquoted(parts[1])) if len(parts) > 1 else (
        database, _unquoted(parts[0]),
    )  # fmt: skip


def _unquoted(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name[:1] in {"`", '"'} else name


def _like(match: re.Match[str], column: str) -> str:
    if not match["how"]:
        return ""
    pattern = re.sub(r"\\(['\\])", r"\1", match["pattern"])
    return f" AND {column} {match['how']} {literal(pattern)}"


def _limit(match: re.Match[str]) -> str:
    return f" LIMIT {match['limit']}" if match["limit"] else ""
