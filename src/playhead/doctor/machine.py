"""The machine: how many files the server may open, how much memory it has, whether its port is free."""

import errno
import os
import resource
import socket
from pathlib import Path
from typing import Final

from playhead.config import Config
from playhead.config.section import MIB
from playhead.doctor.finding import Findings
from playhead.doctor.patient import Patient
from playhead.serve.space.rules import size

FILES_WARN: Final = 4_096
FILES_BAD: Final = 1_024
FILES_USED_SHARE: Final = 0.8
BESIDE_STORE_BYTES: Final = 512 * MIB
"""What web, worker and supervisor take beside the store."""
_CGROUP: Final = Path("/sys/fs/cgroup/memory.max")
_FILES_REMEDY: Final = "Set LimitNOFILE=65536 (systemd), or 'ulimit -n 65536' before it is started."


def look_at_machine(patient: Patient, pids: dict[str, int], findings: Findings) -> None:
    """Look at the limits that hold for the server's processes, or would for one started now."""
    _look_at_files(pids, findings)
    _look_at_memory(patient.config, findings)


def look_at_port(patient: Patient, port: int, findings: Findings) -> None:
    """Look whether a server that does not run could have its port."""
    host = patient.config.server.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            found = f"Port {port} on {host} cannot be had: {error.strerror}."
            remedy = "Give --host an address of this machine."
            if error.errno == errno.EADDRINUSE:
                remedy = (
                    f"Stop what uses it ('ss -ltnp sport = :{port}'), or choose another: --port."
                )
            elif error.errno == errno.EACCES:
                remedy = (
                    "Ports below 1024 are root's: choose another, and let a proxy have that one."
                )
            findings.bad("port", found, remedy)
            return
    findings.ok("port", f"Port {port} on {host} is free.")


def _look_at_files(pids: dict[str, int], findings: Findings) -> None:
    most, whose = resource.getrlimit(resource.RLIMIT_NOFILE)[0], "A server started from here"
    crowded = ""
    for role, pid in sorted(pids.items()):
        limit = _file_limit(pid)
        if limit is None:
            continue
        if limit <= most or whose.startswith("A server"):
            most, whose = limit, f"The {role} process"
        used = _open_files(pid)
        if used > FILES_USED_SHARE * limit:
            crowded = f"The {role} process has {used:,} of at most {limit:,} files open."
    if crowded:
        findings.bad("open files", crowded, _FILES_REMEDY)
        return
    said = f"{whose} may open {most:,} files."
    if most == resource.RLIM_INFINITY or most >= FILES_WARN:
        findings.ok("open files", said if most >= 0 else f"{whose} may open any number of files.")
    elif most < FILES_BAD:
        findings.bad("open files", said, _FILES_REMEDY)
    else:
        remedy = f"Each connection and each part of a table is one. {_FILES_REMEDY}"
        findings.warn("open files", said, remedy)


def _look_at_memory(config: Config, findings: Findings) -> None:
    have = _memory_bytes()
    if have is None:
        findings.skip("memory", "this system does not tell")
        return
    need = config.store.max_memory_bytes + BESIDE_STORE_BYTES
    said = f"{size(have)} of memory; the store may take {size(config.store.max_memory_bytes)}"
    if config.store.kind != "embedded" or have >= need:
        findings.ok("memory", f"{said}.")
        return
    remedy = "Lower store.max_memory_bytes (and store.max_query_memory_bytes), or add memory."
    findings.warn("memory", f"{said}: the kernel may end processes.", remedy)


def _memory_bytes() -> int | None:
    """Return the memory of this machine, or of the container it is."""
    try:
        have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    try:
        text = _CGROUP.read_text("ascii").strip()
    except OSError:
        return have
    return min(have, int(text)) if text.isdigit() else have


def _file_limit(pid: int) -> int | None:
    """Return how many files a process may open; None where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    line = next((line for line in lines if line.startswith("Max open files")), "")
    words = line.split()
    return int(words[3]) if len(words) > 3 and words[3].isdigit() else None


def _open_files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 (names are enough)
    except OSError:
        return 0
