"""A server that does not answer: does it run at all, and what does its folder hold."""

import os
from pathlib import Path
from typing import Final

import msgspec

from playhead import __version__
from playhead.backup.unfinished import check_started
from playhead.doctor.finding import Findings
from playhead.doctor.patient import Patient
from playhead.errors import PlayheadError
from playhead.log.offsets import Ledger
from playhead.log.segments import SegmentLog
from playhead.runtime.release import check_folder, read_release
from playhead.serve.watch.alert import spoken

AHEAD_BAD_MS: Final = 2_000
BROKEN_MAX: Final = 1_000
_NAME: Final = b"playhead"


class _Process(msgspec.Struct):
    pid: int | None = None


def processes_in(folder: Path) -> dict[str, int]:
    """Return the ids of the server's processes that run, by role."""
    try:
        text = (folder / "run" / "processes.json").read_bytes()
        listed = msgspec.json.decode(text, type=dict[str, _Process])
    except (OSError, msgspec.DecodeError):
        return {}
    return {role: one.pid for role, one in listed.items() if one.pid and _runs(one.pid)}


def look_at_stillness(patient: Patient, pids: dict[str, int], findings: Findings) -> None:
    """Look whether processes run, at the log and the worker's books, and at damaged parts."""
    folder = patient.folder
    if folder is None:
        return
    if pids:
        said = ", ".join(f"{role} ({pid})" for role, pid in sorted(pids.items()))
        found = f"Processes of {folder} run all the same: {said}."
        findings.bad("processes", found, "Another address? See its log; if it hangs, restart it.")
    else:
        findings.ok("processes", f"None of {folder} runs; what follows is what it left.")
    _look_at_release(folder, findings)
    _look_at_log(patient, folder, findings)
    _look_at_parts(folder, findings)


def _look_at_release(folder: Path, findings: Findings) -> None:
    """Look whether this release can open what is there: nothing of a newer one, nothing unfinished."""
    try:
        check_started(folder)
        check_folder(folder)
        last = read_release(folder)
    except PlayheadError as error:
        findings.bad("release", error.message, error.hint)
        return
    if last is None:
        findings.ok("release", "No release is named there; this one can open it.")
    elif last.release == __version__:
        findings.ok("release", f"Playhead {last.release} wrote it last, as this one is.")
    else:
        found = f"Playhead {last.release} wrote it last; this is {__version__} and can open it."
        findings.ok("release", f"{found} 'playhead upgrade --dry-run' says what would change.")


def _look_at_log(patient: Patient, folder: Path, findings: Findings) -> None:
    """Read the log and the ledger, as they will be read at the next start; nothing is changed."""
    if not (folder / "log").is_dir():
        findings.skip("log", "no server has run here yet")
        return
    try:
        ledger = Ledger(folder / "worker.db", writable=False)
        log = SegmentLog(folder / "log", patient.config.log, patient.clock, writable=False)
        try:
            bounds, position = log.bounds(), ledger.position()
        finally:
            log.close()
            ledger.close()
    except PlayheadError as error:
        findings.bad("log", error.message, error.hint)
        return
    pending = max(0, bounds.next - position)
    found = f"{bounds.next:,} batches in the log, {pending:,} of them not in the store yet."
    findings.ok("log", found)
    ahead_ms = bounds.newest_received_at - patient.clock.now_ms()
    if ahead_ms >= AHEAD_BAD_MS:
        found = f"The newest record is {spoken(ahead_ms)} ahead of this machine's clock."
        findings.bad(
            "clock", found, "Set the clock (NTP) before starting: log time never goes back."
        )


def _look_at_parts(folder: Path, findings: Findings) -> None:
    """Find the parts that the engine set aside as damaged at one of its starts."""
    tables = folder / "store" / "store"
    if not tables.is_dir():
        return
    broken: list[str] = []
    for path in tables.glob("*/*/detached/broken*"):
        broken.append(path.name)
        if len(broken) >= BROKEN_MAX:
            break
    if not broken:
        findings.ok("parts", "Nothing is set aside as damaged.")
        return
    found = f"{len(broken)} parts were set aside as damaged: their rows may be missing."
    remedy = "Check the disk and memory of this machine; restore those rows from a backup."
    findings.warn("parts", found, remedy)


def _runs(pid: int) -> bool:
    """Return whether a process is one of ours; ids are given again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return _NAME in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
