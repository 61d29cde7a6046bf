"""Buckets and filters for any input: they cover, they do not overlap, they never break."""

from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from playhead.config import Config
from playhead.errors import InvalidRequest
from playhead.query.catalogue import catalogue
from playhead.query.filter import filters_of, numbers_of
from playhead.query.question import FORMS, Asking, question_of
from playhead.query.span import DAY_MS, INTERVALS, Span, buckets_of, iso
from playhead.query.statement import Params

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
     "America/Santiago", "Pacific/Apia", "Africa/Casablanca"]
)  # fmt: skip
NOW_MS = 1_780_000_000_000
ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=NOW_MS)


@given(
    start=st.integers(1_300_000_000_000, NOW_MS),
    length=st.integers(1, 40 * DAY_MS),
    interval=st.sampled_from(["1h", "1d", "auto"]),
    zone=ZONES,
)
def test_buckets_cover_the_span_once(start: int, length: int, interval: str, zone: str) -> None:
    span = Span(start, start + length)
    buckets = buckets_of(span, interval, ZoneInfo(zone), limit=100_000)
    edges = [buckets.edges(number) for number in range(len(buckets.starts))]
    assert edges[0][0] <= span.from_ms < edges[0][1] or len(edges) == 1
    assert edges[-1][1] == span.to_ms
    assert all(before[1] == after[0] for before, after in pairwise(edges))
    most = INTERVALS[buckets.interval] * 2
    assert all(0 < end - begin <= most for begin, end in edges)


@given(st.lists(st.text(max_size=20), max_size=5))
def test_filters_are_read_or_refused(texts: list[str]) -> None:
    try:
        found = filters_of([f"cdn:{text}" for text in texts], catalogue(), limit=10)
    except InvalidRequest:
        raise AssertionError(texts) from None
    assert [value for one in found for value in one.values] == texts


@given(st.text(max_size=20) | st.from_regex(r"!?[a-z_.]{1,12}(:|~|[<>!]?=|[<>])[-+0-9.eE a]{0,8}"))
def test_any_filter_is_read_once_or_refused_with_a_sentence(text: str) -> None:
    params = Params()
    said: tuple[str, ...]
    try:
        found = filters_of([text], catalogue(), limit=10)
        numbers = numbers_of([text], catalogue())
    except InvalidRequest as error:
        said = (error.message, error.hint)
    else:
        said = tuple(one.sql(params) for one in found) + tuple(one.sql(params) for one in numbers)
        assert len(said) == 1
    assert all(said)
    assert "".join(said).count("{p") == len(params.values())


@given(
    form=st.sampled_from(FORMS),
    values=st.dictionaries(
        st.sampled_from(["from", "to", "interval", "timezone", "group_by", "filters", "measurement",
                         "limit", "order"]) | st.text(max_size=5),
        st.lists(st.text(max_size=12) | st.sampled_from(["-1h", "now", "1d", "cdn", "cdn:x", "5"]),
                 min_size=1, max_size=2),
    ),
)  # fmt: skip
def test_a_question_is_read_or_refused_with_a_sentence(
    form: str, values: dict[str, list[str]]
) -> None:
    shape = next(one for one in FORMS if one == form)
    try:
        question = question_of(catalogue().metric("views"), shape, values, ASKING)
    except InvalidRequest as error:
        said = (error.message, error.hint)
    else:
        said = (question.measurement, iso(question.span.from_ms))
    assert all(said)
