"""What the doctor makes of a proxy, by what the server saw of his call."""

from typing import Any

import pytest

from playhead.clock import ManualClock
from playhead.config import Config
from playhead.doctor.doorstep import look_at_proxy
from playhead.doctor.finding import Findings, Level
from playhead.doctor.patient import Patient

DIRECT = {
    "peer": "127.0.0.1", "peer_trusted": True, "forwarded": False, "client": "127.0.0.1",
    "scheme": "http", "host": "127.0.0.1:8700", "base_path": "",
}  # fmt: skip
PROXIED = DIRECT | {"forwarded": True, "client": "203.0.113.7", "scheme": "https"}
OUTSIDE = "https://metrics.example.org"


def looked(url: str, seen: dict[str, Any]) -> Findings:
    findings = Findings()
    look_at_proxy(Patient(url=url, config=Config(), clock=ManualClock()), seen, findings)
    return findings


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("http://127.0.0.1:8700", DIRECT),
        (OUTSIDE, PROXIED),
        (f"{OUTSIDE}/playhead", PROXIED | {"base_path": "/playhead"}),
        ("http://127.0.0.1:8700", DIRECT | {"base_path": "/playhead"}),
    ],
)
def test_a_proxy_that_is_right_is_fine(url: str, seen: dict[str, Any]) -> None:
    (found,) = looked(url, seen).found
    assert (found.check, found.level) == ("proxy", Level.OK)


@pytest.mark.parametrize(
    ("url", "seen", "remedy"),
    [
        (OUTSIDE, PROXIED | {"peer": "10.0.0.5", "peer_trusted": False}, '"10.0.0.5"'),
        (OUTSIDE, DIRECT | {"scheme": "https"}, "X-Forwarded-For"),
        (OUTSIDE, PROXIED | {"scheme": "http"}, "X-Forwarded-Proto"),
        (f"{OUTSIDE}/playhead", PROXIED, 'base_path = "/playhead"'),
        (OUTSIDE, PROXIED | {"base_path": "/playhead"}, 'base_path = ""'),
    ],
)
def test_a_proxy_that_is_wrong_gets_its_remedy(url: str, seen: dict[str, Any], remedy: str) -> None:
    (found,) = looked(url, seen).found
    assert found.level is Level.WARN
    assert remedy in found.remedy
