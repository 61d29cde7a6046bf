from playhead.serve.health import _worker
from playhead.serve.pipeline import Pipeline


def test_capped_dimensions_are_an_object() -> None:
    capped = [
        _worker(Pipeline(now_ms=0, notes=notes))["capped"]
        for notes in ({"capped": '{"cdn":3}'}, {"capped": "{}"}, {})
    ]
    assert capped == [{"cdn": 3}, {}, {}]
