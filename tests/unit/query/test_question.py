import pytest

from playhead.config import Config
from playhead.errors import InvalidRequest
from playhead.query.catalogue import catalogue
from playhead.query.question import Asking, Order, Values, order_of, question_of, whole

ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=1_780_000_000_000)


def test_defaults_are_the_metrics_own() -> None:
    question = question_of(catalogue().metric("startup_time"), "overall", {}, ASKING)
    assert (question.measurement, question.span.length_ms) == ("median", 86_400_000)


@pytest.mark.parametrize(
    "values",
    [
        {"nonsense": ["1"]},
        {"from": ["-1h", "-2h"]},
        {"group_by": ["cdn"]},
        {"measurement": ["max"]},
        {"limit": ["-1"]},
        {"timezone": ["Nowhere"]},
    ],
)
def test_what_is_not_valid_is_refused(values: Values) -> None:
    with pytest.raises(InvalidRequest):
        question_of(catalogue().metric("views"), "overall", values, ASKING)


@pytest.mark.parametrize("text", ["0", "1001", "1.5", "x", "٣", "9" * 30])
def test_a_limit_is_a_whole_number_within_its_bounds(text: str) -> None:
    with pytest.raises(InvalidRequest):
        whole({"limit": [text]}, "limit", 10, most=1_000)


def test_an_order_is_a_field_a_direction_or_both() -> None:
    assert order_of(None) == order_of("value") == order_of("desc") == Order()
    assert order_of("views:asc") == Order("views", descending=False)
    with pytest.raises(InvalidRequest):
        order_of("value; DROP")


def test_an_order_names_the_rows_of_its_source() -> None:
    assert order_of("requests", "requests") == Order("requests")
    with pytest.raises(InvalidRequest, match="not known"):
        order_of("views", "requests")
