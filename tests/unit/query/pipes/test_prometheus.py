from playhead.errors import QueryFailed
from playhead.query.pipes.prometheus import cast, wants_casts


def test_columns_the_form_knows_are_cast() -> None:
    sql = cast("SELECT 1", {"value": "UInt8", "name": "LowCardinality(String)", "other": "Int8"})
    assert sql == (
        "SELECT toString(q.`name`) AS `name`, toFloat64(q.`value`) AS `value` FROM (SELECT 1) AS q"
    )


def test_a_time_becomes_milliseconds() -> None:
    assert "toUnixTimestamp64Milli" in cast("SELECT 1", {"timestamp": "DateTime"})
    assert "toUnixTimestamp64Milli" not in cast("SELECT 1", {"timestamp": "UInt64"})


def test_only_types_are_a_reason() -> None:
    types = "Illegal type 'UInt8' of column 'name' for output format 'Prometheus'."
    missing = "Column 'value' is required for output format 'Prometheus'."
    assert wants_casts(QueryFailed(types, engine_code=36))
    assert not wants_casts(QueryFailed(missing, engine_code=36))
