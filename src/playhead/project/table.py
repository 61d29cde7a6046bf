"""The table of a data source: exact DDL, and that of the rows it refuses."""

from collections.abc import Callable
from typing import Final

from playhead.project.datatype import datatype
from playhead.project.engine_clause import DURABLE, FAMILY, engine_clause, whole
from playhead.project.expression import backquoted, fault, parts, quoted
from playhead.project.implicit import every_column
from playhead.project.problem import Problem, invalid
from playhead.project.resources import Column, Datasource, Index
from playhead.project.ttl import elements

COLUMNS_MAX: Final = 1_000
"""Most columns of a data source."""
CREATE_SETTINGS: Final[dict[str, str]] = {
    "allow_suspicious_codecs": "1",
    "allow_suspicious_fixed_string_types": "1",
    "allow_suspicious_indices": "1",
    "allow_suspicious_low_cardinality_types": "1",
    "allow_suspicious_variant_types": "1",
    "flatten_nested": "1",
}
"""Settings a CREATE TABLE of a project runs with: its types are its author's choice."""
QUARANTINE_COLUMNS: Final = (
    ("c__error_column", "Array(String)"),
    ("c__error", "Array(String)"),
    ("c__import_id", "Nullable(String)"),
    ("insertion_date", "DateTime"),
)
CODECS: Final = frozenset({
    "ALP", "DEFAULT", "DELTA", "DEFLATE_QPL", "DOUBLEDELTA", "FPC", "GCD", "GORILLA", "LZ4",
    "LZ4HC", "NONE", "T64", "ZSTD", "ZSTD_QAT",
})  # fmt: skip
INDEX_TYPES: Final = frozenset({
    "bloom_filter", "minmax", "ngrambf_v1", "set", "sparse_grams", "text", "tokenbf_v1",
    "vector_similarity",
})  # fmt: skip
_TEXT_TYPES: Final = frozenset({"String", "FixedString", "JSON", "Object", "Dynamic", "Variant"})
_EMPTY_TEXT: Final = frozenset({"''", "('')"})


def create_table(
    datasource: Datasource, *, database: str, table: str | None = None, with_ttl: bool = True
) -> str:
    """Return the CREATE TABLE of a data source; to be run with `CREATE_SETTINGS`.

    Args:
        datasource: What the file says.
        database: Where the table goes.
        table: Its name, when not the data source's.
        with_ttl: False leaves ENGINE_TTL out: rows then stay whatever their age.

    Raises:
        ProjectInvalid: The file asks for what cannot be built; every finding is a line.
    """
    found: list[Problem] = []
    columns = every_column(datasource)
    lines = [
        line
        for column in columns
        if (line := _kept(found, datasource, column.line, lambda c=column: _column(c)))  # type: ignore[misc]
    ]
    if datasource.engine.kind in FAMILY:
        lines += [
            line
            for index in datasource.indexes
            if (line := _kept(found, datasource, 0, lambda i=index: _index(i)))  # type: ignore[misc]
        ]
    name = _kept(found, datasource, 0, lambda: qualified(database, table or datasource.name))
    clause = _kept(
        found, datasource, 0, lambda: "\n".join(engine_clause(datasource, with_ttl=with_ttl))
    )
    if not 0 < len(columns) <= COLUMNS_MAX:
        message = f"A data source has 1 to {COLUMNS_MAX} columns; this one has {len(columns)}."
        found.append(Problem(datasource.path, message))
    if found:
        raise invalid(found)
    return f"CREATE TABLE {name}\n(\n    " + ",\n    ".join(lines) + f"\n)\n{clause}"


def quarantine_table(datasource: Datasource, *, database: str) -> str:
    """Return the CREATE TABLE for the rows a data source refuses: its columns as nullable text.

    Raises:
        ProjectInvalid: A name is none.
    """
    try:
        name = qualified(database, quarantine_name(datasource.name))
        lines = [f"{backquoted(c)} {kind}" for c, kind in quarantine_columns(datasource)]
    except ValueError as error:
        raise invalid([Problem(datasource.path, f"{error}.")]) from error
    return (
        f"CREATE TABLE {name}\n(\n    " + ",\n    ".join(lines) + "\n)\nENGINE = MergeTree()\n"
        "PARTITION BY (toYYYYMM(insertion_date))\nORDER BY (insertion_date)\n"
        f"SETTINGS {', '.join(f'{name} = {value}' for name, value in DURABLE.items())}"
    )


def quarantine_name(datasource: str) -> str:
    """Return the name of the table with a data source's refused rows."""
    return f"{datasource}_quarantine"


def quarantine_columns(datasource: Datasource) -> tuple[tuple[str, str], ...]:
    """Return the columns of the quarantine and their types.

    A column of the data source that bears the name of one of the quarantine's own is left out.
    """
    taken = {name for name, _ in QUARANTINE_COLUMNS}
    names = (column.name for column in every_column(datasource))
    return (
        *((name, "Nullable(String)") for name in names if name not in taken),
        *QUARANTINE_COLUMNS,
    )


def qualified(database: str, table: str) -> str:
    """Return a table's name with its database; raises ValueError when one is none."""
    return f"{backquoted(database)}.{backquoted(table)}"


def expressions(datasource: Datasource) -> list[tuple[str, str]]:
    """Return every expression of the file: where it stands, and its SQL in brackets.

    Each is to pass as `SELECT <it>` before the table is made: `create_table` only sees to it
    that an expression stays one.

    Raises:
        ProjectInvalid: As `create_table`.
    """
    engine = datasource.engine
    found = [
        (f"DEFAULT of column '{column.name}'", column.default)
        for column in datasource.columns
        if column.default is not None and not default_is_zero(column)
    ]
    found += [(f"index '{index.name}'", index.expression) for index in datasource.indexes]
    found += [
        (option, text)
        for option, text in (
            ("ENGINE_PARTITION_KEY", engine.partition_key),
            ("ENGINE_PRIMARY_KEY", engine.primary_key),
            ("ENGINE_SORTING_KEY", engine.sorting_key),
            ("ENGINE_SAMPLING_KEY", engine.sampling_key),
        )
        if text.strip()
    ]
    try:
        for element in elements(engine.ttl) if engine.ttl.strip() else ():
            found += [("ENGINE_TTL", element.expression)]
            found += [("ENGINE_TTL", element.where)] if element.where else []
        return [(where, whole(sql, where)) for where, sql in found]
    except ValueError as error:
        raise invalid([Problem(datasource.path, str(error))]) from error


def default_is_zero(column: Column) -> bool:
    """Return whether the default is an empty text on a column that holds no text."""
    if column.default is None or not column.type or column.default.strip() not in _EMPTY_TEXT:
        return False
    return datatype(column.type).bare().name not in _TEXT_TYPES


def default_is_null(column: Column) -> bool:
    """Return whether the default is NULL, which a Nullable column has anyway."""
    return (column.default or "").strip().upper() == "NULL"


def _column(column: Column) -> str:
    words = [backquoted(column.name)]
    if column.type:
        words.append(datatype(column.type).text)
    elif column.default is None:
        raise ValueError(f"Column '{column.name}' has neither a type nor a DEFAULT.")
    if default_is_zero(column):
        words.append(f"DEFAULT defaultValueOfTypeName({quoted(column.type)})")
    elif column.default is not None and not default_is_null(column):
        words.append(f"DEFAULT {whole(column.default, f'DEFAULT of column {column.name!r}')}")
    if column.codec:
        words.append(f"CODEC({_codec(column)})")
    return " ".join(words)


def _codec(column: Column) -> str:
    where = f"CODEC of column '{column.name}'"
    text = column.codec or ""
    why = fault(text)
    if why:
        raise ValueError(f"{where} {why}: {text}")
    for part in parts(text):
        if datatype(part).name.upper() not in CODECS:
            raise ValueError(f"{where}: '{part}' is no codec.")
    return text.strip()


def _index(index: Index) -> str:
    where = f"index {index.name!r}"
    if datatype(index.type).name not in INDEX_TYPES:
        raise ValueError(f"The type of {where} is none that can be used: {index.type}")
    if index.granularity < 1:
        raise ValueError(f"GRANULARITY of {where} is a number from 1 on.")
    expression = whole(index.expression, f"The expression of {where}")
    return (
        f"INDEX {backquoted(index.name)} {expression} TYPE {index.type.strip()} "
        f"GRANULARITY {index.granularity}"
    )


def _kept(found: list[Problem], datasource: Datasource, line: int, make: Callable[[], str]) -> str:
    """Return what a step makes; what is wrong goes to `found`, and "" is returned."""
    try:
        return make()
    except ValueError as error:
        text = str(error)
        found.append(Problem(datasource.path, text if text.endswith(".") else f"{text}.", line))
        return ""
