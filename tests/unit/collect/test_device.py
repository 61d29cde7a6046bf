import pytest

from playhead.collect.device import NOTHING_SAID, Said, class_named, facts_of, said_in
from playhead.model.event import Device, Event

MAC = b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/17.0 Safari/605"


@pytest.mark.parametrize(
    ("said", "device_class"),
    [
        ("tv", "tv"), ("smart_tv", "tv"), ("Smart TV", "tv"), ("CTV", "tv"), ("set-top", "set_top"),
        ("STB", "set_top"), ("mobile", "phone"), ("Tablet", "tablet"), ("PC", "desktop"),
        ("Games Console", ""), ("game_console", "console"), ("", ""), (None, ""), ("é" * 99, ""),
    ],
)  # fmt: skip
def test_the_clients_word_becomes_a_class(said: str | None, device_class: str) -> None:
    assert class_named(said) == device_class


def test_the_user_agent_fills_what_the_client_leaves_out() -> None:
    facts = facts_of(MAC, Said(browser="Tube App", browser_version="3.1"))
    assert (facts.device_class, facts.os) == ("desktop", "macOS")
    assert (facts.browser, facts.browser_version) == ("Tube App", "3.1")


def test_a_version_never_belongs_to_another_system() -> None:
    facts = facts_of(MAC, Said(os="Tizen", browser="Tube App"))
    assert (facts.os_version, facts.browser_version) == ("", "")


def test_the_first_event_with_a_device_speaks() -> None:
    silent = Event(event_type="PLAY", timestamp=1)
    speaking = Event(event_type="PLAY", timestamp=1, device=Device(os="Mac"))
    assert said_in([None, silent, speaking]) == Said(os="Mac")
    assert said_in([silent, None]) is NOTHING_SAID
