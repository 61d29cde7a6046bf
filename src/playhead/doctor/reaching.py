"""Is the server there, ready, of this release; do clocks agree; does the token hold."""

from typing import Any, Final

from playhead import __version__
from playhead.doctor.calling import Answer, Calls, Unreached, moment_ms
from playhead.doctor.finding import Findings
from playhead.doctor.patient import Patient
from playhead.serve.watch.alert import spoken

SKEW_WARN_MS: Final = 2_000
SKEW_BAD_MS: Final = 60_000
AHEAD_BAD_MS: Final = 2_000
"""A newest record so far ahead of the server's clock: the clock was set back."""


def look_at_server(patient: Patient, calls: Calls, findings: Findings) -> bool:
    """Look whether a Playhead answers; return whether one does."""
    try:
        answer = calls.get("/healthz")
    except Unreached as error:
        findings.bad("server", f"{patient.url} cannot be reached: {error}.", _start_hint(patient))
        return False
    version = answer.meta().get("version")
    if 300 <= answer.status < 400 and answer.headers.get("location"):
        there = answer.headers["location"].removesuffix("/healthz")
        findings.bad("server", f"{patient.url} sends elsewhere.", f"Look there: --url {there}")
        return False
    if answer.status != 200 or not isinstance(version, str):
        found = f"{patient.url} answers {answer.status}, but not as a Playhead does."
        remedy = (
            "Name the address that serves Playhead with --url, with its base path if it has one."
        )
        findings.bad("server", found, remedy)
        return False
    took_ms = answer.after_ms - answer.before_ms
    findings.ok("server", f"{patient.url} answers in {took_ms} ms.")
    _look_at_versions(version, findings)
    _look_at_ready(calls, findings)
    return True


def look_at_status(patient: Patient, calls: Calls, findings: Findings) -> dict[str, Any]:
    """Ask for the status, look at the token and the clocks; return what is told, or nothing."""
    if not patient.secret:
        found = "No token could be read, so pipeline, store and backups were not looked at."
        findings.warn("token", found, "Name a file with an admin token: --token-file.")
        return {}
    try:
        answer = calls.get("/v1/status", with_token=True)
    except Unreached as error:
        findings.bad("token", f"/v1/status did not answer: {error}.", "Look at the server's log.")
        return {}
    if answer.status != 200:
        said = answer.told()
        found = f"The server answers {answer.status}: {said.get('message', 'no reason')}"
        findings.bad("token", found, str(said.get("hint", "")) or "Use an admin token.")
        return {}
    _look_at_clock(answer, findings)
    if "events" not in answer.data():
        found = "The token may read, but not see the server's own state."
        findings.warn("token", found, "Name a file with an admin token: --token-file.")
        return {}
    findings.ok("token", "An admin token; it sees everything.")
    return answer.data()


def _start_hint(patient: Patient) -> str:
    folder = f" --data {patient.folder}" if patient.folder else ""
    return f"Start it with 'playhead up{folder}', or name another address with --url."


def _look_at_versions(server: str, findings: Findings) -> None:
    if server == __version__:
        findings.ok("version", f"Server and command line are both {server}.")
        return
    found = f"The server is {server}, this command {__version__}."
    findings.warn("version", found, "Restart the server after an upgrade, or install its release.")


def _look_at_ready(calls: Calls, findings: Findings) -> None:
    try:
        answer = calls.get("/readyz")
    except Unreached as error:
        findings.bad("ready", f"/readyz did not answer: {error}.", "Look at the server's log.")
        return
    if answer.status == 200:
        findings.ok("ready", "It takes events and answers questions.")
        return
    if answer.status == 404:
        findings.skip("ready", "/readyz is hidden from here: ask the server's own address")
        return
    reasons = answer.data().get("reasons") or ["it does not say why"]
    found = "It is not ready: " + " ".join(str(one) for one in reasons)
    findings.bad("ready", found, "The findings below say more; otherwise the server's log.")


def _look_at_clock(answer: Answer, findings: Findings) -> None:
    """Compare the server's clock with this one, and with the newest record of its log."""
    now_ms, newest_ms = (moment_ms(answer.meta().get(name)) for name in ("now", "newest_event_at"))
    if now_ms is None:
        findings.skip("clock", "the server does not tell the time")
        return
    skew_ms = now_ms - (answer.before_ms + answer.after_ms) // 2
    course = "ahead of" if skew_ms > 0 else "behind"
    sure_ms = abs(skew_ms) - (answer.after_ms - answer.before_ms) // 2
    if sure_ms < SKEW_WARN_MS:
        findings.ok("clock", f"The server's clock agrees with this machine's ({skew_ms:+d} ms).")
    else:
        found = f"The server's clock is {spoken(abs(skew_ms))} {course} this machine's."
        remedy = "Let both machines keep time by NTP (chrony, systemd-timesyncd)."
        note = findings.bad if sure_ms >= SKEW_BAD_MS else findings.warn
        note("clock", found, remedy)
    if newest_ms is not None and newest_ms - now_ms >= AHEAD_BAD_MS:
        found = f"The newest record is {spoken(newest_ms - now_ms)} ahead of the server's clock:"
        found += " it was set back, and log time stands still until then."
        findings.bad("clock", found, "Let NTP slew the clock instead of stepping it; wait.")
