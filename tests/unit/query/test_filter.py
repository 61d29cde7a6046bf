import pytest

from playhead.errors import InvalidRequest
from playhead.model import view
from playhead.query.catalogue import catalogue
from playhead.query.filter import _numbers, filters_of, number_of, numbers_of, row_value
from playhead.query.source import SOURCES
from playhead.query.statement import Params


def test_the_first_sign_ends_the_name() -> None:
    (text,) = filters_of(["cdn~a:b>=1"], catalogue(), limit=5)
    assert (text.dimension.id, text.values, text.contains) == ("cdn", ("a:b>=1",), True)
    assert numbers_of(["cdn:a>=1"], catalogue()) == ()


def test_a_number_filter_binds_its_number() -> None:
    (one,) = numbers_of(["startup_ms>=-2.5e1"], catalogue())
    params = Params()
    assert one.sql(params) == "ifNull(toFloat64(startup_ms) >= {p0:Float64}, false)"
    assert params.values() == {"p0": -25}


def test_a_metric_stands_for_its_value_of_one_row() -> None:
    (one,) = numbers_of(["seek_latency<1"], catalogue())
    assert one.expression == "if(seek_count > 0, seek_ms / seek_count, NULL)"
    assert row_value(catalogue().metric("unique_viewers")) is None


def test_texts_are_bound_and_gather() -> None:
    params = Params()
    (one,) = filters_of(["!custom.plan~a'b", "!custom.plan~c"], catalogue(), limit=5)
    assert one.sql(params).startswith(
        "NOT (positionCaseInsensitiveUTF8(toString(custom[{p0:String}]"
    )
    assert params.values() == {"p0": "plan", "p1": "a'b", "p2": "c"}


@pytest.mark.parametrize("text", ["1", "-1", "+.5", "1.", "1e6", "0"])
def test_decimal_numbers_are_read(text: str) -> None:
    assert number_of(text) == float(text)


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "-inf", "1e999", "1_0", "0x1", " 1", "1 ", "٣", "1;", "9" * 400]
)
def test_what_is_no_finite_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="no number"):
        number_of(text)


@pytest.mark.parametrize("text", ["a b:x", "", "=", "(x)>1", "startup_ms", "\n>1"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        (*filters_of([text], catalogue(), limit=5), *numbers_of([text], catalogue()))


def test_numbers_are_of_the_model_and_never_its_times() -> None:
    assert {"startup_ms", "rebuffer_count", "score"} <= _numbers("views") <= set(view.COLUMNS)
    times = {"started_at", "at", "received_at", "version", "last_offset"}
    assert not any(_numbers(source) & times for source in SOURCES)
