import pytest

from playhead.query.guard.functions import FunctionList, Listed

ROWS = [
    Listed("sum", "", "Aggregate Functions", True, True),
    Listed("aggThrow", "", "Aggregate Functions", True, False),
    Listed("groupArray", "", "Aggregate Functions", True, False),
    Listed("array_concat_agg", "groupArrayArray", "", True, True),
    Listed("lower", "", "String", False, True),
    Listed("lcase", "lower", "", False, True),
    Listed("toHour", "", "Dates and Times", False, False),
    Listed("file", "", "Other", False, False),
    Listed("hostName", "", "Other", False, False),
    Listed("fullHostName", "hostName", "", False, True),
    Listed("toTypeName", "", "Other", False, False),
    Listed("newcomer", "", "Quantum", False, False),
    Listed("leak", "", "String", False, False, "SQLUserDefined"),
]
FUNCTIONS = FunctionList(ROWS, ["If", "Array", "State", "SimpleState", "OrNull"])


@pytest.mark.parametrize(
    "name",
    ["sum", "SUM", "sumIf", "SumIf", "sumArrayIfOrNull", "sumSimpleState", "array_concat_agg",
     "ARRAY_CONCAT_AGG", "lower", "LOWER", "lcase", "toHour", "toTypeName", "lambda"],
)  # fmt: skip
def test_what_computes_from_its_arguments_is_allowed(name: str) -> None:
    assert FUNCTIONS.allows(name)
    assert FUNCTIONS.knows(name)


@pytest.mark.parametrize(
    "name",
    ["aggThrow", "aggThrowIf", "aggThrowArrayState", "file", "hostName", "fullHostName",
     "FULLHOSTNAME", "newcomer", "leak"],
)  # fmt: skip
def test_what_is_denied_is_known_but_not_allowed(name: str) -> None:
    assert not FUNCTIONS.allows(name)
    assert FUNCTIONS.knows(name)


@pytest.mark.parametrize(
    "name", ["tohour", "FILE", "sumif", "sumIF", "If", "lowerIf", "nothing", "sum ", "If" * 9999]
)
def test_what_the_engine_would_not_find_is_unknown(name: str) -> None:
    assert not FUNCTIONS.allows(name)
    assert not FUNCTIONS.knows(name)


def test_aggregates_are_told_from_others() -> None:
    assert FUNCTIONS.aggregate("sumIf")
    assert not FUNCTIONS.aggregate("lower")
    assert not FUNCTIONS.aggregate("aggThrow")
