"""The data folder itself: who may read it, what lies there, how fast its disk is."""

import contextlib
import os
import pwd
import stat
import statistics
from pathlib import Path
from typing import Final

from playhead.clock import Clock
from playhead.doctor.finding import Findings
from playhead.doctor.patient import TOKEN_FILE, Patient
from playhead.serve.space.outlook import outlook_of

FSYNC_TRIES: Final = 20
FSYNC_BYTES: Final = 4_096
FSYNC_WARN_MS: Final = 20.0
FSYNC_BAD_MS: Final = 100.0
FILES_MAX: Final = 20_000
"""Files whose owner is looked at; the newest parts of a large store come first or not at all."""
_SHOWN: Final = 3
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def look_at_folder(patient: Patient, findings: Findings) -> bool:
    """Look at rights and owners; return whether there is a data folder here."""
    folder = patient.folder
    if folder is None:
        return False
    try:
        mode = folder.stat()
    except OSError as error:
        found = f"The data folder {folder} cannot be looked at: {error.strerror}."
        findings.bad("folder", found, "Name it with --data, or run this as its owner.")
        return False
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        found = f"{folder} is {_name_of(mode.st_uid)}'s; you may not look into it."
        findings.bad("folder", found, f"Run this as its owner: sudo -u {_name_of(mode.st_uid)} …")
        return False
    if stat.S_IMODE(mode.st_mode) & _OTHERS:
        found = f"Other users of this machine may open {folder}, and read tokens and events."
        findings.bad("folder", found, f"chmod 700 {folder}")
    else:
        findings.ok("folder", f"{folder} is its owner's alone.")
    _look_at_token_file(folder, findings)
    _look_at_owners(folder, mode.st_uid, findings)
    return True


def look_at_space(patient: Patient, findings: Findings) -> None:
    """Look at free space: what a server that does not run cannot tell itself."""
    if patient.folder is None:
        return
    outlook = outlook_of(patient.folder, patient.config, patient.clock.now_ms())
    if outlook.state == "ok":
        findings.ok("disk", outlook.sentence)
        return
    note = findings.bad if outlook.state == "low" else findings.warn
    note("disk", outlook.sentence, outlook.remedy)


def look_at_disk(patient: Patient, findings: Findings) -> None:
    """Look at how long the disk takes to keep something."""
    folder = patient.folder
    if folder is None:
        return
    try:
        took_ms = fsync_ms(folder, patient.clock)
    except OSError as error:
        found = f"Nothing can be written in {folder}: {error.strerror}."
        findings.bad("fsync", found, "Free space, or mend the rights of the folder and its disk.")
        return
    said = f"The disk keeps {FSYNC_BYTES} bytes in {took_ms:.1f} ms (median of {FSYNC_TRIES})."
    remedy = "Each answer to a player waits for that: put the data folder on a local SSD."
    if took_ms >= FSYNC_BAD_MS:
        findings.bad("fsync", said, remedy)
    elif took_ms >= FSYNC_WARN_MS:
        findings.warn("fsync", said, remedy)
    else:
        findings.ok("fsync", said)


def fsync_ms(folder: Path, clock: Clock) -> float:
    """Return how long a small write takes until it is durable, the median of some (ms).

    Raises:
        OSError: Nothing can be written there.
    """
    path = folder / f".doctor-{os.getpid()}.tmp"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        took: list[float] = []
        for _ in range(FSYNC_TRIES):
            began_s = clock.monotonic_s()
            os.pwrite(file, os.urandom(FSYNC_BYTES), 0)
            os.fsync(file)
            took.append((clock.monotonic_s() - began_s) * 1000)
        return statistics.median(took)
    finally:
        os.close(file)
        path.unlink(missing_ok=True)


def _look_at_token_file(folder: Path, findings: Findings) -> None:
    path = folder / TOKEN_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        findings.skip("token file", f"there is no {TOKEN_FILE} in it")
        return
    except OSError as error:
        findings.bad(
            "token file", f"{path} cannot be looked at: {error.strerror}.", "Run as its owner."
        )
        return
    if mode & _OTHERS:
        found = f"{path} has mode {mode:04o}: it is the key to everything."
        findings.bad("token file", found, f"chmod 600 {path}")
    else:
        findings.ok("token file", f"{TOKEN_FILE} has mode {mode:04o}.")


def _look_at_owners(folder: Path, owner: int, findings: Findings) -> None:
    """Find files of another user: a server once started as root leaves them, and fails later."""
    strange: list[str] = []
    looked = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            looked += 1
            with contextlib.suppress(OSError):  # gone meanwhile
                if os.lstat(os.path.join(parent, name)).st_uid != owner:  # noqa: PTH118 (in a hurry)
                    strange.append(str(Path(parent, name).relative_to(folder)))
        if looked >= FILES_MAX:
            break
    if not strange:
        findings.ok("owner", f"Everything in it belongs to {_name_of(owner)}.")
        return
    shown = ", ".join(strange[:_SHOWN]) + (", …" if len(strange) > _SHOWN else "")
    found = (
        f"{len(strange)} files do not belong to {_name_of(owner)}, whose the folder is: {shown}."
    )
    findings.bad("owner", found, f"Stop the server, then: chown -R {_name_of(owner)} {folder}")


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
