import msgspec
import pytest

from playhead.collect.large import VALUES_PER_EVENT_MAX, check_count, drop_large
from playhead.collect.request import Request
from playhead.errors import BodyTooLarge
from playhead.model.event import Event

SMALL = b'{"a":[1,2,3],"b":",,,"}'


def array(*items: bytes) -> bytes:
    return b"[" + b",".join(items) + b"]"


def test_events_are_counted_not_commas() -> None:
    check_count(array(*[SMALL] * 10), 10)
    with pytest.raises(BodyTooLarge, match="holds 11 events; 10 events are allowed"):
        check_count(array(*[SMALL] * 11), 10)


def test_values_beyond_reason_are_not_even_counted() -> None:
    check_count(b"[{" + b"," * 10 * VALUES_PER_EVENT_MAX, 10)  # no JSON: for others to say
    with pytest.raises(BodyTooLarge, match="2000 values"):
        check_count(array(b"[" + b"1," * 2_001 + b"1]"), 10)


@pytest.mark.parametrize("as_list", [False, True])
def test_a_large_event_is_dropped_alone(as_list: bool) -> None:
    texts = [msgspec.json.encode({"n": "x" * size}) for size in (10, 1_000, 5, 2_000)]
    event = Event(event_type="PLAY", timestamp=0)
    request = Request({}, "", [], "", 0, events=[event, event, event, None])
    drop_large(request, texts if as_list else array(*texts), 500)
    assert request.events == [event, None, event, None]
    assert [(one.index, one.code, one.dropped) for one in request.refused] == [
        (1, "too_large", True)
    ]
