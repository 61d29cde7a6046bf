import pytest

from playhead.config import Config
from playhead.errors import InvalidRequest
from playhead.query.catalogue import catalogue
from playhead.query.question import Asking, Values
from playhead.query.streams import stream_question_of, streams_question_of

ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=1_780_000_030_500)


def test_a_stream_is_shown_by_the_second_over_ten_minutes() -> None:
    question = stream_question_of("cam", {}, ASKING)
    assert question.buckets is not None
    assert (question.buckets.width_ms, len(question.buckets.starts)) == (1_000, 601)


@pytest.mark.parametrize("values", [{"interval": ["2s"]}, {"from": ["-1d"]}, {"limit": ["1"]}])
def test_a_stream_asked_wrongly_is_refused(values: Values) -> None:
    with pytest.raises(InvalidRequest):
        stream_question_of("cam", values, ASKING)


def test_streams_are_those_of_an_hour() -> None:
    assert streams_question_of({}, ASKING).span.length_ms == 3_600_000
