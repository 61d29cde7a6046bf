"""The engine of a data source as the end of its CREATE TABLE."""

import re
from collections.abc import Mapping
from typing import Final

from playhead.project.expression import backquoted, fault, parts, quoted, tokens
from playhead.project.implicit import every_column
from playhead.project.resources import Datasource, Engine
from playhead.project.ttl import elements

FAMILY: Final = frozenset({
    "MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree",
    "CollapsingMergeTree", "VersionedCollapsingMergeTree",
})  # fmt: skip
"""Engines that keep sorted parts; besides them there are Null and Join."""
ENGINES: Final = FAMILY | {"Null", "Join"}
SETTINGS: Final = frozenset({
    "add_minmax_index_for_numeric_columns", "add_minmax_index_for_string_columns",
    "allow_dimensions_outside_sorting_key", "allow_experimental_replacing_merge_with_cleanup",
    "allow_floating_point_partition_key", "allow_nullable_key",
    "allow_summing_columns_in_partition_or_order_key", "check_sample_column_is_correct",
    "deduplicate_merge_projection_mode", "enable_block_number_column",
    "enable_block_offset_column", "enable_mixed_granularity_parts",
    "enable_vertical_merge_algorithm", "index_granularity", "index_granularity_bytes",
    "lightweight_mutation_projection_mode", "materialize_ttl_recalculate_only",
    "max_bytes_to_merge_at_max_space_in_pool", "max_parts_in_total", "merge_max_block_size",
    "merge_with_ttl_timeout", "min_age_to_force_merge_on_partition_only",
    "min_age_to_force_merge_seconds", "min_bytes_for_wide_part", "min_rows_for_wide_part",
    "non_replicated_deduplication_window", "parts_to_delay_insert", "parts_to_throw_insert",
    "ratio_of_defaults_for_sparse_serialization", "replicated_deduplication_window",
    "ttl_only_drop_parts", "vertical_merge_algorithm_min_columns_to_activate",
    "vertical_merge_algorithm_min_rows_to_activate",
})  # fmt: skip
"""What ENGINE_SETTINGS may set: nothing that names a disk, a path or another server."""
DURABLE: Final[dict[str, str]] = {
    "fsync_after_insert": "1",
    "fsync_part_directory": "1",
    "non_replicated_deduplication_window": "10000",
}
"""What every table with rows has: an insert repeated under its token adds nothing, and what was
answered as stored outlives a power cut."""
STRICTNESS: Final = frozenset({"ANY", "ALL", "SEMI", "ANTI"})
JOIN_KINDS: Final = frozenset({"INNER", "LEFT", "RIGHT", "FULL"})
NO_KEY: Final = "tuple()"
_SETTING: Final = re.compile(
    r"(\w+)\s*=\s*('[^'\\]{0,100}'|[0-9.]{1,40}|true|false)", re.IGNORECASE
)


def engine_clause(datasource: Datasource, *, with_ttl: bool) -> list[str]:
    """Return the lines after the columns: ENGINE, keys, TTL, SETTINGS.

    Raises:
        ValueError: An option is not what it must be; the message is a sentence.
    """
    engine = datasource.engine
    if engine.kind not in ENGINES:
        raise ValueError(f"{engine.kind} is no engine that can be used; take MergeTree.")
    if engine.kind == "Null":
        return ["ENGINE = Null"]
    if engine.kind == "Join":
        return [f"ENGINE = Join({_join(datasource)})"]
    lines = [f"ENGINE = {engine.kind}({_arguments(datasource)})"]
    for keyword, text, option in (
        ("PARTITION BY", engine.partition_key, "ENGINE_PARTITION_KEY"),
        ("PRIMARY KEY", engine.primary_key, "ENGINE_PRIMARY_KEY"),
        ("ORDER BY", engine.sorting_key or NO_KEY, "ENGINE_SORTING_KEY"),
        ("SAMPLE BY", engine.sampling_key, "ENGINE_SAMPLING_KEY"),
    ):
        if text.strip():
            lines.append(f"{keyword} {whole(text, option)}")
    if with_ttl and engine.ttl.strip():
        lines.append(f"TTL {', '.join(element.sql for element in elements(engine.ttl))}")
    settings = _settings(datasource, with_ttl=with_ttl)
    if settings:
        lines.append("SETTINGS " + ", ".join(f"{name} = {settings[name]}" for name in settings))
    return lines


def whole(text: str, option: str) -> str:
    """Return an expression in brackets, so that nothing can follow it.

    Raises:
        ValueError: It is not one expression.
    """
    why = fault(text)
    if why:
        raise ValueError(f"{option} {why}: {text.strip()}")
    text = text.strip()
    return text if text == NO_KEY else f"({text})"


def _arguments(datasource: Datasource) -> str:
    engine = datasource.engine
    if engine.kind == "ReplacingMergeTree":
        given = {"ENGINE_VER": engine.ver, "ENGINE_IS_DELETED": engine.is_deleted}
        if engine.is_deleted.strip() and not engine.ver.strip():
            raise ValueError("ENGINE_IS_DELETED needs ENGINE_VER as well.")
    elif engine.kind == "SummingMergeTree":
        names = _names(engine.columns, "ENGINE_COLUMNS")
        inner = ", ".join(_column(datasource, name, "ENGINE_COLUMNS") for name in names)
        return f"({inner})" if inner else ""
    elif engine.kind == "CollapsingMergeTree":
        given = {"ENGINE_SIGN": engine.sign}
    elif engine.kind == "VersionedCollapsingMergeTree":
        given = {"ENGINE_SIGN": engine.sign, "ENGINE_VERSION": engine.version}
    else:
        return ""
    if "Collapsing" in engine.kind:
        missing = [option for option, name in given.items() if not name.strip()]
        if missing:
            raise ValueError(f"{engine.kind} needs {' and '.join(missing)}.")
    return ", ".join(
        _column(datasource, name, option) for option, name in given.items() if name.strip()
    )


def _join(datasource: Datasource) -> str:
    engine = datasource.engine
    strictness, kind = engine.join_strictness.upper() or "ANY", engine.join_type.upper() or "LEFT"
    if strictness not in STRICTNESS:
        raise ValueError(f"ENGINE_JOIN_STRICTNESS is one of {', '.join(sorted(STRICTNESS))}.")
    if kind not in JOIN_KINDS:
        raise ValueError(f"ENGINE_JOIN_TYPE is one of {', '.join(sorted(JOIN_KINDS))}.")
    keys = _names(engine.key_columns, "ENGINE_KEY_COLUMNS")
    if not keys:
        raise ValueError("Join needs ENGINE_KEY_COLUMNS.")
    named = [_column(datasource, key, "ENGINE_KEY_COLUMNS") for key in keys]
    return ", ".join([strictness, kind, *named])


def _names(text: str, option: str) -> list[str]:
    """Return the names of a list that may stand in brackets."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    try:
        return [name for name in parts(text) if name]
    except ValueError as error:
        raise ValueError(f"{option} {error}: {text}") from error


def _column(datasource: Datasource, name: str, option: str) -> str:
    name = name.strip().strip("`\"'")
    if name not in {column.name for column in every_column(datasource)}:
        raise ValueError(f"{option} names '{name}', which is no column of {datasource.name}.")
    return backquoted(name)


def _settings(datasource: Datasource, *, with_ttl: bool) -> Mapping[str, str]:
    """Return the file's settings and those its engine needs; the file's win."""
    engine = datasource.engine
    found: dict[str, str] = {}
    if engine.kind == "AggregatingMergeTree":
        found["allow_dimensions_outside_sorting_key"] = "1"
    if engine.sampling_key.strip():
        found["check_sample_column_is_correct"] = "0"
    if with_ttl and _ends_with_parts(datasource, engine):
        found["ttl_only_drop_parts"] = "1"
    text = engine.settings.strip()
    for part in parts(text) if text else ():
        match = _SETTING.fullmatch(part)
        if match is None:
            raise ValueError(f"ENGINE_SETTINGS takes name=value, not '{part}'.")
        if match[1] not in SETTINGS:
            raise ValueError(f"ENGINE_SETTINGS may not set '{match[1]}' here.")
        value = match[2]
        found[match[1]] = quoted(value[1:-1]) if value.startswith("'") else value.lower()
    return found | DURABLE


def _ends_with_parts(datasource: Datasource, engine: Engine) -> bool:
    """Return whether rows of one part end together: TTL and partition go by the same column."""
    if not engine.ttl.strip() or not engine.partition_key.strip():
        return False
    found = elements(engine.ttl)
    if len(found) != 1 or found[0].where:
        return False
    columns = {column.name for column in every_column(datasource)}
    return bool(_words(found[0].expression) & _words(engine.partition_key) & columns)


def _words(sql: str) -> set[str]:
    return {t.text.strip('`"') for t in tokens(sql) if t.kind in ("word", "name")}
