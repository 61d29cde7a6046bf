"""Which types rows go over to by themselves."""

import pytest

from playhead.build.deployment.types import widens

WIDER = [
    ("UInt32", "UInt64"), ("UInt32", "Int64"), ("Int32", "Nullable(Int64)"), ("Int32", "Float64"),
    ("LowCardinality(String)", "String"), ("String", "LowCardinality(Nullable(String))"),
    ("DateTime", "DateTime64(3)"), ("DateTime64(3)", "DateTime64(6, 'UTC')"),
    ("DateTime('UTC')", "DateTime"), ("Date", "Date32"), ("Array(UInt8)", "Array(UInt16)"),
    ("Enum8('a' = 1)", "Enum16('a' = 1, 'b' = 2)"), ("Enum8('a' = 1)", "String"), ("Bool", "UInt8"),
    ("Decimal(10, 2)", "Decimal(18, 2)"), ("SimpleAggregateFunction(sum, UInt64)", "UInt64"),
    ("AggregateFunction(count)", "AggregateFunction(count)"), ("Nullable(Nothing)", "Nullable(Date)"),
]  # fmt: skip
NARROWER = [
    ("UInt32", "Int32"), ("Int64", "Float64"), ("Nullable(Int32)", "Int32"), ("String", "UInt32"),
    ("UInt32", "String"), ("DateTime64(3)", "DateTime"), ("Enum8('a' = 1)", "Enum8('a' = 2)"),
    ("Decimal(18, 4)", "Decimal(18, 2)"), ("UInt8", "Bool"), ("Array(UInt16)", "Array(UInt8)"),
    ("Array(UInt8)", "UInt8"), ("AggregateFunction(count)", "AggregateFunction(sum, UInt8)"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "wanted"), WIDER)
def test_every_value_stays_the_same(made: str, wanted: str) -> None:
    assert widens(made, wanted)


@pytest.mark.parametrize(("made", "wanted"), NARROWER)
def test_a_value_could_be_lost(made: str, wanted: str) -> None:
    assert not widens(made, wanted)
