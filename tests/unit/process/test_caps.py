from playhead.model.event import Context, Event
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.caps import OTHER, Caps
from playhead.process.fold import Limits, fold


def row(**fields: str) -> ViewRow:
    event = Event(event_type="PLAY", timestamp=1_790_000_000_000, view_id="v", **fields)  # type: ignore[arg-type]
    stored = Stored(event, Context(), 1_790_000_000_000, 0, 0, 0)
    return fold("v", "default/v", [stored], 1_790_000_000_000, Limits())


def capped(caps: Caps, **fields: str) -> ViewRow:
    made = row(**fields)
    caps.apply(made)
    return made


def test_beyond_the_cap_a_value_is_other_and_counted() -> None:
    caps = Caps(2)
    names = [capped(caps, player_name=name).player_name for name in ("a", "b", "c", "a", "d")]
    assert names == ["a", "b", OTHER, "a", OTHER]
    assert caps.capped == {"player_name": 2}


def test_values_of_the_store_take_their_places() -> None:
    caps = Caps(2)
    caps.learn("player_name", ["a", "b", "c"])
    assert capped(caps, player_name="b").player_name == "b"
    assert capped(caps, player_name="c").player_name == OTHER


def test_titles_ids_and_absent_values_are_not_capped() -> None:
    caps = Caps(0)
    made = capped(caps, video_id="film", video_title="A film", viewer_id="w")
    assert (made.video_id, made.video_title, made.viewer_id, made.cdn) == (
        "film",
        "A film",
        "w",
        "",
    )
    assert not caps.capped
