import pytest

from playhead.model.event import Event, Hop, Request
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


@pytest.mark.parametrize("unknown", [b"", b',"new":1'])
def test_what_the_servers_on_the_way_said_is_read(unknown: bytes) -> None:
    cmsd = rb'{"cmsd":"\"CDN-A\";rtt=8, \"CDN-B\""}'
    (event,) = decode(b'[{"eventType":"REQUEST","timestamp":1,"request":' + cmsd + unknown + b"}]")
    assert isinstance(event, Event)
    hops = [Hop(name="CDN-A", rtt_ms=8), Hop(name="CDN-B")]
    assert event.request == Request(cdn="CDN-A", hops=hops)


def test_a_cdn_that_the_page_names_stays() -> None:
    (event,) = decode(
        rb'[{"eventType":"REQUEST","timestamp":1,"request":{"cdn":"mine","cmsd":"\"CDN-A\""}}]'
    )
    assert isinstance(event, Event)
    assert event.request is not None
    assert event.request.cdn == "mine"
