"""Columns a data source has without saying so: those its connector writes."""

from typing import Final

from playhead.project.resources import Column, Datasource

_KAFKA: Final = (
    ("__value", "String"),
    ("__topic", "LowCardinality(String)"),
    ("__partition", "Int16"),
    ("__offset", "Int64"),
    ("__timestamp", "DateTime"),
    ("__key", "String"),
)
_KAFKA_HEADERS: Final = ("__headers", "Map(String, String)")
_DYNAMODB: Final = (
    ("_timestamp", "DateTime64(3)"),
    ("_event_name", "LowCardinality(String)"),
    ("_is_deleted", "UInt8"),
    ("_record", "String"),
)
_YES: Final = frozenset({"true", "1", "yes", "on"})


def implicit_columns(datasource: Datasource) -> tuple[Column, ...]:
    """Return the columns its connector adds; those the schema names itself are left out."""
    options = datasource.options
    found: list[tuple[str, str]] = []
    if any(name.startswith("KAFKA_") for name in options):
        found += _KAFKA
        if options.get("KAFKA_STORE_HEADERS", "").lower() in _YES:
            found.append(_KAFKA_HEADERS)
    if "IMPORT_TABLE_ARN" in options:
        found += _DYNAMODB
    named = {column.name for column in datasource.columns}
    return tuple(Column(name=name, type=kind) for name, kind in found if name not in named)


def every_column(datasource: Datasource) -> tuple[Column, ...]:
    """Return the columns of the table: those of the schema, then those the connector adds."""
    return (*datasource.columns, *implicit_columns(datasource))
