import json

import pytest

from playhead.collect.logs.fields import EXTRA_DEPTH_MAX, put_extra


def kept(value: object, name: str = "other") -> object:
    extra: dict[str, object] = {}
    put_extra(extra, name, value)
    return extra.get(name)


@pytest.mark.parametrize(
    "value",
    ["/a/b?token=s3cret", "GET /a?token=s3cret HTTP/1.1", "https://x.example/a?token=s3cret"],
)
def test_a_field_nobody_knows_keeps_no_parameters(value: str) -> None:
    assert "s3cret" not in str(kept(value))


def test_a_question_is_no_parameter() -> None:
    assert kept("why? no reason") == "why? no reason"


def test_an_object_keeps_nothing_private_at_any_level() -> None:
    value = {
        "a": [{"cookie": "s3cret", "b": 1, "path": "/x?k=s3cret"}],
        "queryString": "k=s3cret",
        "to": "203.0.113.9",
    }
    masked = "0.0.0.0"  # noqa: S104 (written, bound to nowhere)
    assert json.loads(str(kept(value))) == {"a": [{"b": 1, "path": "/x"}], "to": masked}


def test_an_object_has_few_levels() -> None:
    value: object = "deep"
    for _ in range(EXTRA_DEPTH_MAX + 500):
        value = [value]
    assert kept(value) == "[" * EXTRA_DEPTH_MAX + "null" + "]" * EXTRA_DEPTH_MAX
