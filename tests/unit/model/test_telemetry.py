from playhead.model.event import Event
from playhead.model.telemetry import decode

CANONICAL = b'{"eventType":"STATE","timestamp":1,"extra":{"cmcd":{"su":true}}}'


def test_an_event_is_the_same_beside_a_refused_one() -> None:
    (alone,) = decode(b"[" + CANONICAL + b"]")
    beside, _ = decode(b"[" + CANONICAL + b',"sid=,("]')
    assert alone == beside
    assert isinstance(alone, Event)
    assert alone.extra == {"cmcd": {"su": True}}


def test_unknown_fields_join_what_extra_holds() -> None:
    (event,) = decode(b'[{"eventType":"PLAY","timestamp":1,"extra":{"a":1},"b":2}]')
    assert isinstance(event, Event)
    assert event.extra == {"a": 1, "b": 2}
