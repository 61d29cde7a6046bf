import pytest

from playhead.config import Config
from playhead.config.file import load
from playhead.serve.pipes.local_answers import exposed


def test_a_server_of_this_machine_alone_may_hand_out_its_token() -> None:
    assert exposed(Config()) == ""
    assert exposed(load(overrides={"server.host": "localhost"}).config) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server.host", "0.0.0.0"),  # noqa: S104 (to be refused)
        ("server.base_path", "/playhead"),
        ("collect.trusted_proxies", ["127.0.0.1", "10.0.0.0/8"]),
    ],
)
def test_one_that_others_may_reach_does_not(name: str, value: object) -> None:
    assert name in exposed(load(overrides={name: value}).config)
