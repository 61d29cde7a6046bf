from playhead.query.views import _event


def test_a_shown_event_keeps_its_zeros_and_leaves_out_what_is_absent() -> None:
    row = {"seq": 0, "position_s": 0.0, "hidden": False, "video_id": "", "cdn": None, "at": 0}
    shown = _event(row)
    assert shown == {
        "seq": 0, "position_s": 0.0, "hidden": False, "at": "1970-01-01T00:00:00.000Z",
    }  # fmt: skip
