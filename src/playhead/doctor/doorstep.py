"""What a player's page and a proxy meet: preflights, forwarded headers, TLS, the SDK, live streams."""

from typing import Any, Final

from playhead.doctor.calling import Calls, Unreached
from playhead.doctor.finding import Findings
from playhead.doctor.patient import Patient

DOOR: Final = "/telemetry"
ASKED_HEADERS: Final = "content-type, x-playhead-key"
ANY_PAGE: Final = "https://www.example.com"
"""Stands for the page of a player where none is named."""
STREAM: Final = "/v1/live/stream?minutes=1"
STREAM_SLOW_MS: Final = 3_000
_PROXY_DOC: Final = "docs/how-to/behind-a-proxy.md has both nginx and Caddy."


def look_at_doorstep(patient: Patient, calls: Calls, findings: Findings) -> None:
    """Look at what needs no token: preflights, the SDK, what is open that should not be."""
    for origin in patient.origins or (ANY_PAGE,):
        _look_at_preflight(patient, calls, origin, findings)
    _look_at_sdk(calls, findings)
    _look_at_transport(patient, calls, findings)


def look_at_proxy(patient: Patient, seen: dict[str, Any], findings: Findings) -> None:
    """Look at what the server saw of our own call: `seen` of `/v1/status`."""
    if not seen:
        findings.skip("proxy", "this server does not tell what it sees")
        return
    wrong = _wrong_of_proxy(patient, seen)
    for found, remedy in wrong:
        findings.warn("proxy", found, remedy)
    if wrong:
        return
    if not seen["forwarded"]:
        findings.ok("proxy", f"No proxy in between: the server sees {seen['peer']}.")
        return
    said = f"{seen['client']} by {seen['scheme']}"
    below = f", below {seen['base_path']}" if seen["base_path"] else ""
    found = f"The proxy at {seen['peer']} is trusted; through it the server sees {said}{below}."
    findings.ok("proxy", found)


def look_at_stream(calls: Calls, findings: Findings) -> None:
    """Look whether live numbers arrive as they are sent."""
    try:
        took_ms = calls.first_bytes_ms(STREAM)
    except Unreached as error:
        found = f"No bytes of the live stream arrive: {error}."
        remedy = (
            f"A proxy that buffers? Switch that off for {STREAM.partition('?')[0]}: {_PROXY_DOC}"
        )
        findings.bad("stream", found, remedy)
        return
    if took_ms is None:
        findings.skip("stream", "the server refused to open one")
    elif took_ms > STREAM_SLOW_MS:
        found = f"The first bytes of the live stream took {took_ms} ms."
        findings.warn("stream", found, f"A proxy that buffers? Switch that off: {_PROXY_DOC}")
    else:
        findings.ok("stream", f"Live numbers arrive unbuffered, the first after {took_ms} ms.")


def _look_at_preflight(patient: Patient, calls: Calls, origin: str, findings: Findings) -> None:
    """Ask as a browser does before it lets the page of a player send."""
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": ASKED_HEADERS,
    }
    try:
        answer = calls.call("OPTIONS", DOOR, headers)
    except Unreached as error:
        findings.bad("cors", f"The preflight of {DOOR} was not answered: {error}.", _PROXY_DOC)
        return
    allowed = answer.headers.get("access-control-allow-origin", "")
    methods = answer.headers.get("access-control-allow-methods", "")
    named = answer.headers.get("access-control-allow-headers", "").lower()
    told = {part.strip() for part in named.split(",")}
    page = "pages of any site" if not patient.origins else origin
    if answer.status in {200, 204} and allowed in {"*", origin}:
        if "POST" in methods and told >= set(ASKED_HEADERS.split(", ")):
            findings.ok("cors", f"Players in {page} may send: the preflight of {DOOR} passes.")
            return
        found = f"The preflight of {DOOR} allows '{methods}' with '{named}' only."
        findings.bad("cors", found, "A proxy that answers OPTIONS itself? Let it hand it on.")
    elif answer.status in {200, 204} and not patient.origins:
        found = "Only pages of some sites may send (collect.allowed_origins)."
        findings.warn("cors", found, "Name the site of your player to try it: --origin https://…")
    else:
        found = f"Players in {page} may not send: the preflight got {answer.status}"
        found += f", allowed is '{allowed}'." if allowed else ", no origin is allowed."
        findings.bad("cors", found, f"Add {origin} to collect.allowed_origins, or mend the proxy.")


def _look_at_sdk(calls: Calls, findings: Findings) -> None:
    try:
        answer = calls.call("HEAD", "/sdk/playhead.js", {})
    except Unreached as error:
        findings.warn("sdk", f"/sdk/playhead.js did not answer: {error}.", _PROXY_DOC)
        return
    if answer.status == 200:
        findings.ok("sdk", "Pages that load /sdk/playhead.js have the server's own release of it.")
        return
    found = (
        f"/sdk/playhead.js answers {answer.status}: pages that load it from here measure nothing."
    )
    findings.warn(
        "sdk", found, "Let the proxy hand /sdk/ on; in a clone, build it with 'make player'."
    )


def _look_at_transport(patient: Patient, calls: Calls, findings: Findings) -> None:
    """From outside: is it encrypted, and is what is meant for the machine itself open?"""
    if patient.is_local:
        return
    if patient.url.startswith("http://"):
        found = f"{patient.url} is not encrypted: tokens and events can be read on the way."
        findings.warn("tls", found, f"Put a proxy with TLS before it: {_PROXY_DOC}")
    else:
        findings.ok("tls", "The connection is encrypted and its certificate valid.")
    try:
        is_open = calls.get("/metrics").status == 200
    except Unreached:
        return
    if is_open:
        found = "/metrics answers without a token from outside."
        findings.warn("open", found, f"Do not hand on /metrics and /readyz: {_PROXY_DOC}")


def _wrong_of_proxy(patient: Patient, seen: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what does not fit between the address we used and what the server saw."""
    wrong: list[tuple[str, str]] = []
    peer, forwarded = seen["peer"], seen["forwarded"]
    if forwarded and not seen["peer_trusted"]:
        wrong.append((
            f"A proxy at {peer} names the client but is not trusted: all viewers seem to be {peer}.",
            f'Add "{peer}" to collect.trusted_proxies.',
        ))  # fmt: skip
    elif not forwarded and not patient.is_local and seen["peer_trusted"]:
        wrong.append((
            f"The proxy at {peer} does not name the client: all viewers seem to be one address.",
            f"Let it set X-Forwarded-For: {_PROXY_DOC}",
        ))  # fmt: skip
    if patient.url.startswith("https://") and seen["scheme"] != "https":
        wrong.append((
            "You came by https, the server thinks by http: cookies lack 'Secure'.",
            "Let the proxy set X-Forwarded-Proto, and trust it (collect.trusted_proxies).",
        ))  # fmt: skip
    if patient.base_path != seen["base_path"].rstrip("/") and (forwarded or patient.base_path):
        here, there = patient.base_path or "/", seen["base_path"] or "/"
        wrong.append((
            f"You came below '{here}', the server thinks '{there}'.",
            f'Set server.base_path = "{patient.base_path}" and let the proxy take it off.',
        ))  # fmt: skip
    return wrong
