from playhead.process.fold import Limits
from playhead.process.stamp import differences, stamp_of


def test_the_same_settings_have_the_same_stamp_and_others_say_what_differs() -> None:
    one, other = stamp_of(Limits()), stamp_of(Limits(view_idle_ms=1, stall_min_ms=2))
    assert stamp_of(Limits()) == one
    assert differences(one, other) == ["stall_min_ms", "view_idle_ms"]
