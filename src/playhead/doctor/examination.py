"""The whole examination, in the order in which a person would ask."""

from collections.abc import Callable
from urllib.parse import urlsplit

from playhead.doctor.calling import Calls, Unreached
from playhead.doctor.doorstep import look_at_doorstep, look_at_proxy, look_at_stream
from playhead.doctor.finding import Findings
from playhead.doctor.folder import look_at_disk, look_at_folder, look_at_space
from playhead.doctor.machine import look_at_machine, look_at_port
from playhead.doctor.patient import Patient
from playhead.doctor.pipeline import (
    look_at_backups,
    look_at_engine,
    look_at_pipeline,
)
from playhead.doctor.reaching import look_at_server, look_at_status
from playhead.doctor.stillness import look_at_stillness, processes_in
from playhead.errors import PlayheadError


def examine(patient: Patient) -> Findings:
    """Look at the server, if there is one, and at the data folder, if it is here.

    Nothing is changed: the calls read, and the one file written is removed again.
    """
    findings = Findings()
    with Calls(patient) as calls:
        answers = look_at_server(patient, calls, findings)
        if answers:
            _look_at_running(patient, calls, findings)
    if patient.folder is None:
        findings.skip("folder, disk, limits", "the data folder is not on this machine: see --data")
        return findings
    pids = processes_in(patient.folder)
    if not answers and not pids:
        _guarded("port", findings, lambda: look_at_port(patient, _port_of(patient), findings))
    is_there = look_at_folder(patient, findings)
    if is_there:
        _guarded("disk", findings, lambda: look_at_disk(patient, findings))
        if not answers:
            _guarded("space", findings, lambda: look_at_space(patient, findings))
            _guarded("log", findings, lambda: look_at_stillness(patient, pids, findings))
    _guarded("machine", findings, lambda: look_at_machine(patient, pids, findings))
    return findings


def _look_at_running(patient: Patient, calls: Calls, findings: Findings) -> None:
    status = look_at_status(patient, calls, findings)
    _guarded("cors", findings, lambda: look_at_doorstep(patient, calls, findings))
    if not status:
        return
    looks: tuple[tuple[str, Callable[[], None]], ...] = (
        ("proxy", lambda: look_at_proxy(patient, status.get("seen") or {}, findings)),
        ("stream", lambda: look_at_stream(calls, findings)),
        ("pipeline", lambda: look_at_pipeline(status, findings)),
        ("engine", lambda: look_at_engine(status, findings)),
        ("backups", lambda: look_at_backups(calls, findings)),
    )
    for check, look in looks:
        _guarded(check, findings, look)


def _port_of(patient: Patient) -> int:
    return urlsplit(patient.url).port or patient.config.server.port


def _guarded(check: str, findings: Findings, look: Callable[[], None]) -> None:
    """Look; what another release answers in other words must not end the whole examination."""
    try:
        look()
    except (Unreached, PlayheadError, OSError, KeyError, TypeError, ValueError) as error:
        findings.skip(check, f"it could not be looked at: {error!r}")
