from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.rendering import Inputs, Parameter, TemplateInvalid, TemplateRefused
from playhead.template.types import TYPES, array, boolean, prepared, required, typed
from playhead.template.values import Named, wrapped

ARRAY = Parameter(name="p", type="Array", item_type="Int32")
UNBOUNDED = {"String", "Boolean"}


def asked(*names: str, checking: bool = False) -> Context:
    return Context(Inputs(), checking=checking, names=names)


def of(kind: str, value: Any, *args: Any, checking: bool = False, **words: Any) -> Any:
    context = asked("p", checking=checking)
    return wrapped(typed(TYPES[kind])(context, Named("p", value), *args, **words), context)


@pytest.mark.parametrize("kind", sorted(set(TYPES) - UNBOUNDED))
def test_every_type_refuses_what_it_is_not_and_names_it(kind: str) -> None:
    for wrong in ("", "x", "7 ", "७", "7\0", "--7", "1e", "2025-01-31 08:00"):
        with pytest.raises(TemplateRefused) as refused:
            of(kind, wrong)
        assert f"Error validating '{wrong}' to type {kind}" in refused.value.message
        assert refused.value.hint.startswith("Send a ")


@pytest.mark.parametrize("bits", [8, 16, 32, 64, 128, 256])
def test_whole_numbers_have_the_engine_s_ranges(bits: int) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    assert of(f"Int{bits}", str(low)) == f"toInt{bits}('{low}')"
    assert of(f"UInt{bits}", str(2**bits - 1)) == f"toUInt{bits}('{2**bits - 1}')"
    for kind, wrong in ((f"Int{bits}", high + 1), (f"Int{bits}", low - 1), (f"UInt{bits}", -1)):
        with pytest.raises(TemplateRefused):
            of(kind, str(wrong))


def test_a_long_value_is_cut_in_the_error() -> None:
    with pytest.raises(TemplateRefused) as refused:
        of("Int32", "9" * 5_000)
    assert (len(refused.value.message) < 200, "…'" in refused.value.message) == (True, True)


def test_the_sentence_about_required_parameters_lists_names() -> None:
    said = [required(asked(*names)).message for names in ((), ("a",), ("a", "b"), ("a", "b", "c"))]
    assert said[0] == "Required parameter is not defined"
    assert [one.split("parameters ")[1].split(".")[0] for one in said[1:]] == [
        "a", "a and b", "a, b and c",
    ]  # fmt: skip


def test_a_keyword_no_type_knows_is_refused() -> None:
    with pytest.raises(TemplateInvalid, match="does not know the keyword 'defualt'"):
        of("Int32", "7", defualt=1)
    assert of("Int32", "7", description="d", required=True, enum=[], example=1, format="f")


def test_a_type_in_check_mode_stands_for_its_value() -> None:
    assert of("Int32", None, checking=True) == "0"
    assert of("Int32", None, 5, checking=True) == "toInt32('5')"


def test_booleans_are_numbers() -> None:
    values = ("0", "FALSE", "1", "no", "", None)
    assert [boolean(asked(), Named("p", value)) for value in values] == [0, 0, 1, 1, 1, 0]
    assert boolean(asked(), Named("p", None), True) == 1


def test_a_parameter_is_a_list_when_its_first_discovery_is_an_array() -> None:
    assert [prepared(given, ARRAY) for given in ("1,2", ["1", "2"], "1,x", "")] == [
        [1, 2], [1, 2], "1,x", "",
    ]  # fmt: skip
    assert [prepared(given, None) for given in ("1,2", ["1", "2"])] == ["1,2", "1,2"]


def test_an_array_checks_each_element() -> None:
    assert wrapped(array(asked(), Named("p", "1,+2"), "Int32"), asked()) == "[1,2]"
    with pytest.raises(TemplateRefused, match=r"Error validating 'x' to type Int32 of the .*'p'"):
        array(asked(), Named("p", "1,x"), "Int32")


def test_an_array_of_numbers_may_be_empty_by_default_only() -> None:
    assert array(asked(), Named("p", None), "Int32", "") == []
    with pytest.raises(TemplateRefused, match="Error validating ''"):
        array(asked(), Named("p", ""), "Int32", "")
