"""The output formats a query may name after FORMAT."""

from typing import Final

FORMATS: Final = (
    "JSON", "JSONStrings", "JSONEachRow", "JSONCompact", "JSONCompactStrings",
    "JSONCompactColumns", "JSONCompactEachRow", "JSONCompactEachRowWithNames",
    "JSONCompactEachRowWithNamesAndTypes", "JSONCompactStringsEachRow",
    "JSONCompactStringsEachRowWithNames", "JSONCompactStringsEachRowWithNamesAndTypes",
    "CSV", "CSVWithNames", "TSV", "TSVWithNames", "TabSeparated", "TabSeparatedWithNames",
    "TabSeparatedWithNamesAndTypes", "Parquet", "Prometheus", "Native",
    "RowBinaryWithNamesAndTypes", "PrettyCompact", "Markdown", "ODBCDriver2",
)  # fmt: skip
_BY_LOWER: Final = {name.lower(): name for name in FORMATS}


def format_named(name: str) -> str | None:
    """Return the engine's spelling of an allowed format, None for any other."""
    return _BY_LOWER.get(name.lower())
