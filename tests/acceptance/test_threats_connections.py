"""What strangers may try with connections; docs/security.md names these tests."""

import time
from collections.abc import Iterator

import pytest

from support.server import Server
from support.sockets import Line

HEAD_MAX = 4_096
MOST, MOST_OF_ONE = 24, 10
ENV = {
    # Nobody is trusted, so that this machine's own addresses are counted like any other's.
    "PLAYHEAD_COLLECT__TRUSTED_PROXIES": '["203.0.113.1"]',
    "PLAYHEAD_COLLECT__BODY_TIMEOUT_MS": "700",
    "PLAYHEAD_LIMITS__HEADER_TIMEOUT_MS": "2000",
    "PLAYHEAD_LIMITS__SEND_STALLED_MS": "500",
    "PLAYHEAD_LIMITS__MAX_HEADER_BYTES": str(HEAD_MAX),
    "PLAYHEAD_LIMITS__MAX_HEADERS": "40",
    "PLAYHEAD_LIMITS__MAX_CONNECTIONS": str(MOST),
    "PLAYHEAD_LIMITS__MAX_CONNECTIONS_PER_ADDRESS": str(MOST_OF_ONE),
}
ASK = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"
SEND = b"POST /telemetry HTTP/1.1\r\nhost: x\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("data"), env=ENV) as running:
        yield running


def refused(server: Server, reason: str) -> float:
    """How many connections were refused for a reason."""
    line = f'playhead_connections_refused_total{{reason="{reason}"}} '
    for text in server.http.get(f"{server.url}/metrics").text.splitlines():
        if text.startswith(line):
            return float(text.removeprefix(line))
    return 0.0


def test_a_head_that_drips_in_is_closed(server: Server) -> None:
    with Line(server.port) as line:
        line.drip(SEND + b"x-padding: " + b"a" * 200, every_s=0.05)
        answer = line.answer()
        assert (answer.status, answer.body["code"]) == (408, "body_timeout")
        assert line.is_closed()


@pytest.mark.parametrize("said", [b"", b"\r\n", b"G"], ids=["nothing", "an empty line", "a letter"])
def test_a_connection_that_asks_nothing_is_closed(server: Server, said: bytes) -> None:
    with Line(server.port) as line:
        line.say(said)
        assert line.is_closed()
    with Line(server.port) as line:
        line.say(ASK + b"\r\n")
        assert line.answer().status == 200


def test_empty_lines_without_end_are_closed(server: Server) -> None:
    with Line(server.port) as line:
        line.drip(b"\r\n" * 50, every_s=0.02)
        assert line.is_closed()


def test_a_body_that_drips_in_is_refused(server: Server) -> None:
    with Line(server.port) as line:
        line.say(SEND + b"content-length: 1000\r\n\r\n")
        line.drip(b" " * 100, every_s=0.02)
        answer = line.answer()
        assert (answer.status, answer.body["code"]) == (408, "body_timeout")


def test_a_connection_between_two_requests_is_left_alone(server: Server) -> None:
    with Line(server.port) as line:
        for _ in range(3):
            line.say(ASK + b"\r\n")
            assert line.answer().status == 200
            time.sleep(1)
        assert line.say(ASK + b"\r\n")


@pytest.mark.parametrize(
    "head",
    [
        ASK + b"x-large: " + b"a" * HEAD_MAX + b"\r\n\r\n",
        ASK + b"".join(b"x-%d: 1\r\n" % number for number in range(60)) + b"\r\n",
        b"GET /telemetry?" + b"a" * HEAD_MAX + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        ASK + b"x-endless: " + b"a" * 200_000,
    ],
    ids=["a long header", "many headers", "a long query", "a header without end"],
)
def test_a_head_too_large_is_refused(server: Server, head: bytes) -> None:
    with Line(server.port) as line:
        for first in range(0, len(head), 3_000):
            if not line.say(head[first : first + 3_000]):
                break
        answer = line.answer()
        assert (answer.status, answer.body["code"]) == (431, "head_too_large")
        assert line.is_closed()


@pytest.mark.parametrize(
    "said",
    [
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        SEND + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        SEND + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        SEND + b"content-length: -1\r\n\r\n",
        SEND + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["no HTTP", "HTTP/2", "no ASCII", "two lengths, one chunked", "two lengths",
         "a length below nothing", "a chunk of no size", "TLS"],
)  # fmt: skip
def test_what_is_no_request_is_told_so(server: Server, said: bytes) -> None:
    with Line(server.port) as line:
        line.say(said)
        answer = line.answer()
        assert answer.status in {400, 408}
        assert set(answer.body) == {"code", "message", "hint", "docs"}
        assert line.is_closed()


def test_requests_in_a_row_are_answered_in_order(server: Server) -> None:
    count = 300
    with Line(server.port) as line:
        line.say((ASK + b"\r\n") * count + b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n")
        assert [line.answer().status for _ in range(count + 1)] == [200] * count + [404]


def test_who_takes_no_answer_is_let_go(server: Server) -> None:
    before = refused(server, "stalled")
    with Line(server.port, receive_bytes=4_096) as line:
        line.say(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 100)
        until = time.monotonic() + 20
        while refused(server, "stalled") == before and time.monotonic() < until:
            time.sleep(0.1)
    assert refused(server, "stalled") > before
    assert server.http.get(f"{server.url}/healthz").status_code == 200


def test_one_address_cannot_have_all_connections(server: Server) -> None:
    lines = [Line(server.port, source="127.0.0.9") for _ in range(MOST_OF_ONE + 2)]
    for line in lines:
        line.say(ASK + b"\r\n")
    answers = [line.answer() for line in lines]
    assert [one.status for one in answers] == [200] * MOST_OF_ONE + [429] * 2
    assert answers[-1].body["code"] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) >= 1
    for line in lines:
        line.close()
    assert server.http.get(f"{server.url}/healthz").status_code == 200


def test_where_connections_are_many_room_is_made_and_too_many_are_told(server: Server) -> None:
    """Those that say nothing are there as well: what asks last decides by how many came before."""
    sources = [f"127.0.0.{20 + number % 6}" for number in range(MOST)]
    lines = [Line(server.port, source=source) for source in sources[: MOST - 3]]
    lines[-1].say(ASK + b"\r\n")
    crowded = lines[-1].answer()
    assert (crowded.status, crowded.headers["connection"]) == (200, "close")
    lines += [Line(server.port, source=source) for source in sources[-6:]]
    lines[-1].say(ASK + b"\r\n")
    refusal = lines[-1].answer()
    assert (refusal.status, refusal.body["code"]) == (503, "unavailable")
    assert int(refusal.headers["retry-after"]) >= 1
    for line in lines:
        line.close()
    assert server.http.get(f"{server.url}/healthz").status_code == 200
