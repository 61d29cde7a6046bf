"""The error tree: every class is documented, coded, drawn, and raised somewhere."""

import pytest

from playhead import errors
from support.source import files

BASES = {"PlayheadError", "RequestError", "Unavailable", "StoreError", "LogError"}


def tree(base: type[errors.PlayheadError]) -> list[type[errors.PlayheadError]]:
    return [base, *(leaf for child in base.__subclasses__() for leaf in tree(child))]


@pytest.mark.parametrize("kind", tree(errors.PlayheadError), ids=lambda kind: kind.__name__)
def test_error_is_documented_and_raised(kind: type[errors.PlayheadError]) -> None:
    assert kind.__doc__
    assert kind.__doc__.strip().endswith(".")
    assert kind.__name__ in (errors.__doc__ or "")
    if kind.__name__ not in BASES:
        used = [p.name for p in files() if p.name != "errors.py" and kind.__name__ in p.read_text()]
        assert used, f"{kind.__name__} is never raised"


def test_leaf_codes_are_unique() -> None:
    codes = [kind.code for kind in tree(errors.PlayheadError) if kind.__name__ not in BASES]
    assert len(codes) == len(set(codes))
    assert errors.DiskLow().body()["code"] == "disk_low"
