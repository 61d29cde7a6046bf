from playhead.process.fold.watched import insert


def test_ranges_that_touch_or_overlap_merge() -> None:
    ranges = [(0.0, 10.0), (20.0, 30.0), (40.0, 50.0)]
    insert(ranges, (10.0, 22.0), 10)
    assert ranges == [(0.0, 30.0), (40.0, 50.0)]


def test_a_range_inside_another_changes_nothing() -> None:
    ranges = [(0.0, 10.0)]
    insert(ranges, (2.0, 5.0), 10)
    assert ranges == [(0.0, 10.0)]


def test_too_many_ranges_join_the_nearest_two() -> None:
    ranges = [(0.0, 1.0), (10.0, 11.0)]
    insert(ranges, (12.0, 13.0), 2)
    assert ranges == [(0.0, 1.0), (10.0, 13.0)]
