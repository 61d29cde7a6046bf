"""Real proxies in front of a server, from the files in `deploy/`: what is changed are ports and paths."""

import os
import shutil
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx2

from support.pages import ROOT
from support.server import free_port

DEPLOY: Final = ROOT / "deploy"
CLIENT: Final = "127.0.0.2"
"""Whence the tests call: an address of this machine that is no trusted proxy."""
READY_WITHIN_S: Final = 30.0
_UPSTREAM: Final = "127.0.0.1:8700"


class Proxy(ABC):
    """A running proxy; `url` has its base path, `certificate` is what it shows."""

    program: str

    def __init__(self, folder: Path, port: int, *, base_path: str = "") -> None:
        self.folder = folder
        self.base_path = base_path
        self.port = free_port()
        self._upstream = f"127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = _certificate(folder)
        context = ssl.create_default_context(cafile=str(self.certificate))
        transport = httpx2.HTTPTransport(verify=context, local_address=CLIENT)
        self.http = httpx2.Client(transport=transport, timeout=30)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}{self.base_path}"

    def __enter__(self) -> Self:
        out = (self.folder / "proxy.log").open("wb")
        env = {**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        self._process = subprocess.Popen(self.command(), env=env, stdout=out, stderr=out)
        out.close()
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            try:
                if self.http.get(f"{self.url}/healthz").status_code == 200:
                    return self
            except httpx2.HTTPError:
                pass
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        self.close()
        raise AssertionError((self.folder / "proxy.log").read_text("utf-8", "replace")[-3000:])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.http.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @abstractmethod
    def command(self) -> list[str]:
        """Write the settings; return the command that runs the proxy."""

    def text_of(self, name: str) -> str:
        """A file of `deploy/`, for this server, port and certificate."""
        return (DEPLOY / name).read_text("utf-8").replace(_UPSTREAM, self._upstream)


class Nginx(Proxy):
    """nginx, by `deploy/nginx`."""

    program = "nginx"

    def command(self) -> list[str]:
        included = self.text_of("nginx/playhead-proxy.inc")
        (self.folder / "playhead-proxy.inc").write_text(included)
        site = self._swapped(self.text_of("nginx/playhead.conf"))
        if self.base_path:
            below = self.text_of("nginx/playhead-below-a-path.conf")
            (self.folder / "below.conf").write_text(below)
            head, _, _ = site.partition("    include playhead-proxy.inc;")
            site = f"{head}    include below.conf;\n}}\n"
        temporary = " ".join(
            f"{kind}_temp_path {self.folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"{user} daemon off; worker_processes 1; pid {self.folder}/pid;\n"
            "error_log stderr; events { worker_connections 256; }\n"
            f"http {{ access_log off; {temporary}\n{site}}}\n"
        )
        return ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def _swapped(self, site: str) -> str:
        for old, new in (
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.port} ssl http2;"),
            ("/etc/ssl/metrics.example.org.pem", str(self.certificate)),
            ("/etc/ssl/private/metrics.example.org.key", str(self.key)),
        ):
            assert old in site
            site = site.replace(old, new)
        return site


class Caddy(Proxy):
    """Caddy, by `deploy/caddy`."""

    program = "caddy"

    def command(self) -> list[str]:
        name = "caddy/Caddyfile.below-a-path" if self.base_path else "caddy/Caddyfile"
        host = "www.example.org {" if self.base_path else "metrics.example.org {"
        text = self.text_of(name)
        assert host in text
        site = f"https://127.0.0.1:{self.port} {{\n\ttls {self.certificate} {self.key}"
        ours = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
        path = self.folder / "Caddyfile"
        path.write_text(ours + text.replace(host, site))
        return ["caddy", "run", "--config", str(path), "--adapter", "caddyfile"]


def missing(kind: type[Proxy]) -> str:
    """Why this proxy cannot be run here; empty if it can."""
    wanted = (kind.program, "openssl")
    return ", ".join(name for name in wanted if shutil.which(name) is None)


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
