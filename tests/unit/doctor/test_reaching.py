"""What the doctor says where he may not look: hidden by a proxy, or without a token."""

from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from playhead import __version__
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.doctor.calling import Calls
from playhead.doctor.finding import Findings, Level
from playhead.doctor.patient import Patient
from playhead.doctor.reaching import look_at_server, look_at_status


class Behind(BaseHTTPRequestHandler):
    """A Playhead behind a proxy that shows nothing but `/healthz`."""

    def do_GET(self) -> None:
        here = self.path == "/healthz"
        body = b'{"data":{},"meta":{"version":"%s"}}' % __version__.encode() if here else b""
        self.send_response(200 if here else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def patient() -> Generator[Patient, None, None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Behind) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield Patient(url=url, config=Config(), clock=SystemClock())
        server.shutdown()


def test_what_a_proxy_hides_is_not_wrong(patient: Patient) -> None:
    findings = Findings()
    with Calls(patient) as calls:
        assert look_at_server(patient, calls, findings)
    assert findings.worst() is Level.OK
    assert "/readyz is hidden" in findings.skipped[0]


def test_without_a_token_not_all_is_well(patient: Patient) -> None:
    findings = Findings()
    with Calls(patient) as calls:
        assert look_at_status(patient, calls, findings) == {}
    assert findings.worst() is Level.WARN
    assert "--token-file" in findings.found[0].remedy
