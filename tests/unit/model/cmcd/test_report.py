from playhead.model.cmcd import decode_line, events_of
from playhead.model.event import Event, PlayerStats

NOW = 1_765_837_003_416


def event_of(line: str) -> Event:
    cmcd = decode_line(line)
    assert cmcd is not None
    return events_of(cmcd, NOW)[-1]


def test_a_list_gives_the_pictures_number_else_its_first() -> None:
    assert event_of("e=t,mtp=(5;a 6;v)").player == PlayerStats(throughput_kbps=6)
    assert event_of("e=t,mtp=(5;a 6;i)").player == PlayerStats(throughput_kbps=5)


def test_a_list_of_several_stays_among_the_further_values() -> None:
    assert event_of("e=t,br=(5;v),mtp=(6;v)").extra is None
    assert event_of("e=t,br=(5;v 1;a)").extra == {"cmcd": {"br": [[5, "v"], [1, "a"]]}}
