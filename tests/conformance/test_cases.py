"""Every conformance case holds; `python -m conformance` (in tests) prints the score."""

from collections import Counter
from collections.abc import Generator

import pytest

from conformance import suite
from conformance.suite import Case

EVERY = list(suite.cases())


@pytest.fixture(scope="session", autouse=True)
def areas_end() -> Generator[None, None, None]:
    yield
    suite.close()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.xdist_group(f"conformance-{case.area}"), id=case.name)
        for case in EVERY
    ],
)
def test_case_holds(case: Case) -> None:
    suite.run(case)


def test_cases_are_many_and_named_once() -> None:
    names = Counter((case.area, case.given["id"]) for case in EVERY)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(EVERY) >= 400
