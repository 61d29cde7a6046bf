import pytest

from playhead.connect.files.value import Scopes, Wrong, compiled, unit_of

ROW = {"a": "1.5", "c": "1.001", "b": "", "word": "yes", "odd": "nan"}


def value(spec: object, kind: str = "", unit: str = "") -> object:
    return compiled(spec, kind=kind, unit=unit, used=set())(Scopes(ROW, {"a": "9"}))


@pytest.mark.parametrize(
    ("spec", "kind", "unit", "becomes"),
    [
        ("plain", "text", "", "plain"),
        ("{a}-{word}", "text", "", "1.5-yes"),
        ("{{a}}", "text", "", "{a}"),
        ("{b}", "text", "", None),
        (7, "number", "", 7),
        (True, "boolean", "", True),
        ({"from": "a"}, "number", "", 1.5),
        ({"from": "a"}, "text", "", "1.5"),
        ({"from": "a", "unit": "s"}, "number", "ms", 1500),
        ({"from": "c", "unit": "s"}, "number", "ms", 1001),
        ({"from": "a", "unit": "Mbps"}, "number", "kbps", 1500),
        ({"from": "a", "unit": "min"}, "number", "s", 90),
        ({"from": "a", "unit": "KiB"}, "number", "B", 1536),
        ({"from": "a", "row": "first"}, "number", "", 9),
        ({"from": "b"}, "number", "", None),
        ({"from": "b", "default": 3}, "number", "", 3),
        ({"from": "word"}, "boolean", "", True),
        ({"from": "word", "values": {"yes": "full"}}, "text", "", "full"),
        ({"from": "a", "as": "number"}, "", "", 1.5),
    ],
)
def test_a_value_becomes(spec: object, kind: str, unit: str, becomes: object) -> None:
    assert value(spec, kind, unit) == becomes


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ({"from": "word"}, "number"),
        ({"from": "odd"}, "number"),
        ({"from": "a"}, "boolean"),
        ({"from": "a", "values": {"x": 1}}, "number"),
    ],
)
def test_a_cell_that_does_not_fit_is_a_fault_of_the_row(spec: object, kind: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        value(spec, kind)


@pytest.mark.parametrize(
    ("spec", "kind", "unit"),
    [
        ([], "", ""),
        ({"form": "a"}, "", ""),
        ({"from": "a", "unit": "mile"}, "number", "ms"),
        ({"from": "a", "unit": "s"}, "number", ""),
        ({"from": "a", "unit": "s"}, "text", "ms"),
        ({"from": "a", "row": "last"}, "", ""),
        ({"from": "a", "as": "date"}, "", ""),
        ({"from": "a", "as": "text"}, "number", ""),
        (True, "number", ""),
        ("words", "number", ""),
    ],
)
def test_a_wrong_description_is_refused(spec: object, kind: str, unit: str) -> None:
    with pytest.raises(Wrong):
        value(spec, kind, unit)


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("startupMs", "ms"),
        ("durationSec", "s"),
        ("downlinkMbps", "Mbps"),
        ("bytes", "B"),
        ("x", ""),
    ],
)
def test_a_field_says_its_unit_in_its_name(field: str, unit: str) -> None:
    assert unit_of(field) == unit
