"""A small real HTTP server that notes what it was sent and answers as it is told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self


class Post(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


Told = tuple[int, dict[str, Any], dict[str, str]]
"""A status, a JSON body and headers."""


class Listener:
    """Answers posts with `answers` in turn, then with 200 and everything accepted."""

    def __init__(self, *answers: Told) -> None:
        self.posts: list[Post] = []
        self.answers = list(answers)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.posts.append(Post(self.path, headers, body))
                status, told, more = outer.answers.pop(0) if outer.answers else (200, {}, {})
                text = json.dumps(told).encode()
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
