"""Limits of the machine, and the port of a server that does not run."""

import os
import socket
from pathlib import Path

from playhead.clock import ManualClock
from playhead.config.file import load
from playhead.doctor.finding import Findings, Level
from playhead.doctor.machine import look_at_machine, look_at_port
from playhead.doctor.patient import Patient


def patient(**settings: object) -> Patient:
    config = load(env={}, overrides=settings).config
    return Patient(url="http://127.0.0.1:1", config=config, clock=ManualClock())


def test_a_port_that_is_taken_is_said() -> None:
    findings = Findings()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        look_at_port(patient(), port, findings)
    look_at_port(patient(), port, findings)
    assert [one.level for one in findings.found] == [Level.BAD, Level.OK]
    assert f"sport = :{port}" in findings.found[0].remedy


def test_a_store_that_may_take_more_than_there_is_is_said() -> None:
    findings = Findings()
    look_at_machine(patient(**{"store.max_memory_bytes": 1 << 60}), {"web": os.getpid()}, findings)
    found = {one.check: one for one in findings.found}
    assert found["memory"].level is Level.WARN
    if Path("/proc/self/limits").exists():
        assert found["open files"].found.startswith("The web process may open")
