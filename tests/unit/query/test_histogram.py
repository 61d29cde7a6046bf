from itertools import pairwise

import pytest

from playhead.config import Config
from playhead.errors import InvalidRequest
from playhead.query.catalogue import catalogue
from playhead.query.histogram import STEPS, histogram_question_of
from playhead.query.question import Asking

ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=1_780_000_000_000)


@pytest.mark.parametrize("name", STEPS)
def test_steps_rise(name: str) -> None:
    assert all(low < high for low, high in pairwise(STEPS[name]))
    assert len(STEPS[name]) < Config().query.max_histogram_buckets


@pytest.mark.parametrize(
    ("metric", "steps"),
    [("startup_time", "startup"), ("watch_time", "watch"), ("cdn_ttfb", "latency"),
     ("score", "score"), ("weighted_bitrate", "bitrate"), ("rebuffer_count", "count"),
     ("rebuffer_percentage", "percent"), ("stream_fps", "rate"), ("cdn_bytes", "bytes")],
)  # fmt: skip
def test_a_metric_has_steps_of_its_unit(metric: str, steps: str) -> None:
    question = histogram_question_of(catalogue().metric(metric), {}, ASKING)
    assert (question.steps, question.edges) == (steps, STEPS[steps])


def test_edges_and_buckets_take_the_place_of_steps() -> None:
    metric = catalogue().metric("startup_time")
    edges = histogram_question_of(metric, {"edges": ["-1,0,1e3"]}, ASKING)
    assert (edges.edges, edges.steps) == ((-1, 0, 1000), None)
    counted = histogram_question_of(metric, {"buckets": ["7"], "scale": ["log"]}, ASKING)
    assert (counted.count, counted.scale, counted.edges) == (7, "log", ())


@pytest.mark.parametrize("text", ["", ",", "1,", "1,1", "2,1", "1,nan", "1,inf", "1,1e999", "1 2"])
def test_edges_are_rising_finite_numbers(text: str) -> None:
    with pytest.raises(InvalidRequest):
        histogram_question_of(
            catalogue().metric("startup_time"), {"edges": [text], "scale": ["log"]}, ASKING
        )
