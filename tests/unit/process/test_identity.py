from playhead.model.event import Context, Event
from playhead.process.fold import derived_id
from playhead.process.identity import has_seq, identity_of, view_key_of

SHOP = Context(property="shop", anonymous_id="a1")


def event(**fields: object) -> Event:
    return Event(event_type="PLAY", timestamp=1, **fields)  # type: ignore[arg-type]


def test_the_clients_view_id_is_the_key_within_its_property() -> None:
    assert view_key_of(event(view_id="v", session_id="s"), SHOP) == ("shop/v", True)
    assert view_key_of(event(view_id="v"), Context()) == ("default/v", True)


def test_without_view_id_the_session_is_the_key_then_the_viewer_then_nobody() -> None:
    named = [event(session_id="s", viewer_id="w"), event(viewer_id="w"), event()]
    assert [view_key_of(e, SHOP)[0] for e in named] == ["shop/s:s", "shop/v:w", "shop/a:a1"]


def test_seq_counts_only_inside_a_named_view() -> None:
    assert identity_of(event(view_id="v", seq=7)) == 7
    assert identity_of(event(session_id="s", seq=7)) != 7


def test_a_second_sending_is_the_same_event() -> None:
    first = event(session_id="s", sent_at=1)
    again = event(session_id="s", sent_at=2, retry_count=1)
    assert identity_of(first) == identity_of(again)
    assert again.retry_count == 1


def test_event_id_decides_where_there_is_no_seq() -> None:
    assert identity_of(event(event_id="x")) == identity_of(event(event_id="x", seq=3))
    assert identity_of(event(event_id="x")) != identity_of(event(event_id="y"))


def test_a_report_number_orders_but_identifies_nothing() -> None:
    started = event(view_id="v", report_seq=3, state="starting")
    played = event(view_id="v", report_seq=3, state="playing")
    assert not has_seq(started)
    assert identity_of(started) != identity_of(played)


def test_the_same_report_under_another_number_is_another_event() -> None:
    first, second = (event(view_id="v", report_seq=number) for number in (1, 2))
    assert identity_of(first) != identity_of(second)


def test_derived_ids_differ_by_ordinal() -> None:
    assert derived_id("k", 0) != derived_id("k", 1)
    assert derived_id("k", 0).endswith("-0")
