"""What strangers may try at the doors, each from outside; docs/security.md names these tests."""

import gzip
import json
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import zstandard

from support.patience import until
from support.server import Server
from support.sockets import Line

UNPACKED_MAX = 1_000_000
ENV = {
    "PLAYHEAD_COLLECT__MAX_DECOMPRESSED_BYTES": str(UNPACKED_MAX),
    "PLAYHEAD_COLLECT__REQUESTS_PER_MINUTE_PER_ADDRESS": "120",
    "PLAYHEAD_LIMITS__REQUESTS_PER_MINUTE_PER_PROPERTY": "400",
    "PLAYHEAD_LIMITS__NEW_VIEWS_PER_MINUTE_PER_ADDRESS": "10",
    "PLAYHEAD_LIMITS__NEW_VIEWS_PER_MINUTE_PER_PROPERTY": "40",
    "PLAYHEAD_LIMITS__NEW_VIEWS_GRACE_MS": "0",
    "PLAYHEAD_PROCESS__MAX_VALUES_PER_DIMENSION": "20",
}


class Doors(Server):
    """A server with tight limits, and keys of properties."""

    keys: dict[str, str]

    def create(self, property_: str, *origins: str) -> str:
        command = [sys.executable, "-m", "playhead", "token", "create", "--data", str(self.data)]
        command += ["--kind", "write", "--property", property_]
        for origin in origins:
            command += ["--origin", origin]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        return made.stdout.strip()

    def post(
        self,
        body: Any,
        *,
        address: str = "",
        key: str = "",
        path: str = "/telemetry",
        **headers: str,
    ) -> httpx2.Response:
        """Send JSON, or bytes as they are, as whoever is behind an address."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if address:
            named["x-forwarded-for"] = address
        if key:
            named["x-playhead-key"] = key
        return self.http.post(self.url + path, content=sent, headers=named)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with Doors(tmp_path_factory.mktemp("data"), env=ENV) as running:
        running.keys = {
            name: running.create(name) for name in ("crowd", "flood", "many", "large", "json")
        }
        running.keys["own"] = running.create("own", "https://*.shop.example")
        time.sleep(1.1)  # a new token is known within a second
        yield running


def play(view: str | None = None, **fields: Any) -> dict[str, Any]:
    at = int(time.time() * 1000)
    view = str(uuid.uuid4()) if view is None else view
    return {"eventType": "PLAY", "timestamp": at, "viewId": view, "videoId": "film", **fields}


def is_told(answer: httpx2.Response, status: int, code: str) -> bool:
    """Whether an answer is an error of ours: a code, a sentence, and what to do."""
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), answer.text
    assert told["message"].endswith(".")
    assert told["hint"]
    if status in {429, 503}:
        assert int(answer.headers["retry-after"]) >= 1
    return True


def test_one_address_cannot_take_the_doors_from_others(server: Doors) -> None:
    view = play()
    answers = [server.post([view], address="192.0.2.1") for _ in range(123)]
    assert is_told(answers[-1], 429, "rate_limited")
    assert server.post([view], address="192.0.2.2").status_code == 200


def test_large_bodies_of_a_page_count_as_many_and_those_of_a_relay_do_not(server: Doors) -> None:
    large = [play(custom={"text": "x" * 4_000})] * 120  # worth 30 requests
    page = [server.post(large, address="192.0.2.70").status_code for _ in range(8)]
    relay = [server.post(large, address="192.0.2.71", key=server.token) for _ in range(8)]
    assert page[-1] == 429
    assert {one.status_code for one in relay} == {200}


def test_a_forged_address_counts_only_behind_a_proxy_we_trust(server: Doors) -> None:
    view = play()
    chains = [f"198.51.100.{number}, 192.0.2.3" for number in range(123)]
    answers = [server.post([view], address=chain) for chain in chains]
    assert is_told(answers[-1], 429, "rate_limited")


def test_one_property_cannot_take_the_server_from_others(server: Doors) -> None:
    key, view = server.keys["crowd"], play()
    for number in range(2_000):
        answer = server.post([view], key=key, address=f"198.51.{number % 100}.1")
        if answer.status_code != 200:
            break
    assert is_told(answer, 429, "rate_limited")
    assert "'crowd'" in answer.json()["message"]
    assert server.post([view], address="192.0.2.60").status_code == 200


def test_a_flood_of_made_up_views_is_stopped_and_known_views_go_on(server: Doors) -> None:
    key, known = server.keys["flood"], play()
    honest = "198.51.100.1"
    assert server.post([known], key=key, address=honest).status_code == 200
    flood = [
        server.post([play()], key=key, address=f"192.0.2.{100 + number % 10}")
        for number in range(80)
    ]
    assert is_told(flood[-1], 429, "rate_limited")
    assert "new views" in flood[-1].json()["message"]
    assert sum(one.status_code == 200 for one in flood) <= 41  # a second's worth more may pass
    assert server.post([known], key=key, address=honest).status_code == 200
    assert server.post([play()], address="198.51.100.2").status_code == 200


def test_one_address_cannot_use_up_the_views_of_a_property(server: Doors) -> None:
    key = server.keys["many"]
    flood = [server.post([play()], key=key, address="192.0.2.200") for _ in range(40)]
    assert sum(one.status_code == 200 for one in flood) <= 11
    assert server.post([play()], key=key, address="198.51.100.3").status_code == 200


def test_what_a_flood_is_refused_is_not_kept(server: Doors) -> None:
    before = server.wait_until_stored()["events"]["in"]
    views = [play() for _ in range(30)]
    answer = server.post(views, key=server.keys["many"], address="192.0.2.201")
    assert is_told(answer, 429, "rate_limited")
    assert server.wait_until_stored()["events"]["in"] == before


def test_values_without_end_are_counted_as_other(server: Doors) -> None:
    key, view = server.keys["large"], str(uuid.uuid4())
    for number in range(40):
        known = play(f"{view}-{number % 8}-{number}", playerName=f"made-up-{number}")
        server.post([known], key=key, address=f"203.0.113.{number}")
    server.wait_until_stored()
    names = server.get("/v1/metrics/views/breakdown", group_by="player_name", limit=100)["data"]
    assert len(names) <= 22
    # Told right after the rows are stored.
    assert until(lambda: server.status()["worker"]["capped"].get("player_name", 0) > 0, 10)


def test_a_page_may_send_only_with_a_key_that_names_it(server: Doors) -> None:
    ours, theirs = "https://a.shop.example", "https://thief.example"
    key = server.keys["own"]
    assert server.post([play()], key=key, origin=ours).status_code == 200
    refused = server.post([play()], key=key, origin=theirs)
    assert is_told(refused, 403, "forbidden")


BOMBS = {
    "gzip": gzip.compress(b"[" + b" " * (UNPACKED_MAX * 50) + b"]"),
    "deflate": zlib.compress(b"[" + b" " * (UNPACKED_MAX * 50) + b"]"),
    "zstd": zstandard.compress(b"[" + b" " * (UNPACKED_MAX * 50) + b"]"),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_bomb_is_not_unpacked(server: Doors, encoding: str) -> None:
    for headers in ({"content_encoding": encoding}, {}):
        if headers or encoding != "deflate":
            refused = server.post(BOMBS[encoding], address="192.0.2.50", **headers)
            assert is_told(refused, 413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (gzip.compress(gzip.compress(b"[]", mtime=0), mtime=0), "gzip", 400, "invalid_body"),
        (gzip.compress(gzip.compress(b"[]", mtime=0), mtime=0), "gzip, gzip", 400, "invalid_body"),
        (gzip.compress(b"", mtime=0) * 5_000, "gzip", 400, "invalid_body"),
        (zstandard.compress(b"") * 10_000, "zstd", 400, "invalid_body"),
        (gzip.compress(b"[]", mtime=0)[:-4], "gzip", 400, "invalid_body"),
        (b"[]", "br", 400, "invalid_body"),
    ],
)
def test_strange_packings_are_refused(
    server: Doors, body: bytes, encoding: str, status: int, code: str
) -> None:
    refused = server.post(body, address="192.0.2.51", content_encoding=encoding)
    assert is_told(refused, status, code)


EVENT = '{"eventType":"PLAY","timestamp":%d,"viewId":"strange","videoId":"film"%s}'
STRANGE = {
    "deep array": "[" * 100_000,
    "deep array, closed": "[" * 100_000 + "]" * 100_000,
    "deep object": '{"a":' * 100_000,
    "deep in a known field": ',"custom":' + '{"a":' * 5_000 + "1" + "}" * 5_000,
    "deep in an unknown field": ',"what":' + "[" * 5_000 + "]" * 5_000,
    "a number beyond all": ',"playbackPositionSec":1e400',
    "a number of many digits": ',"durationSec":' + "9" * 400_000,
    "an integer of many digits": ',"seq":' + "9" * 400_000,
    "a fraction of many digits": ',"custom":{"x":0.' + "1" * 400_000 + "}",
    "a lone surrogate": ',"videoTitle":"\\ud800"',
    "a zero byte": ',"videoTitle":"a\\u0000b"',
    "a long text": ',"videoTitle":"' + "x" * 700_000 + '"',
    "a long id": ',"sessionId":"' + "x" * 10_000 + '"',
    "many fields": "".join(f',"f{number}":{number}' for number in range(50_000)),
    "a field many times": ',"videoTitle":"a"' * 30_000,
    "not a number": ',"playbackPositionSec":NaN',
}


@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.parametrize("path", ["/telemetry", "/v0/events?name=telemetry"])
def test_strange_json_is_answered_and_harms_nobody(server: Doors, what: str, path: str) -> None:
    text = STRANGE[what]
    if text.startswith(","):
        text = "[" + EVENT % (time.time() * 1000, text) + "]"
    sender = f"198.18.{list(STRANGE).index(what)}.{len(path)}"
    answer = server.post(text.encode(), path=path, key=server.keys["json"], address=sender)
    assert answer.status_code in {200, 202, 400, 413}, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert server.post([play("strange")], key=server.keys["json"]).status_code == 200


@pytest.mark.parametrize("body", [b"\xff\xfe", b'["\xc3\x28"]', b'[{"eventType":"\xed\xa0\x80"}]'])
def test_what_is_no_utf_8_is_refused(server: Doors, body: bytes) -> None:
    answer = server.post(body, address="192.0.2.53")
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        assert answer.json()["accepted"] == 0
    else:
        assert is_told(answer, 400, "invalid_body")


def test_an_event_larger_than_any_player_sends_is_dropped_alone(server: Doors) -> None:
    key = server.keys["json"]
    answer = server.post(
        [play("strange"), play("strange", custom={"text": "x" * 100_000})], key=key
    ).json()
    assert (answer["accepted"], answer["rejected"][0]["code"]) == (1, "too_large")
    assert answer["rejected"][0]["index"] == 1


def test_a_body_too_large_is_told_to_a_client_that_still_sends(server: Doors) -> None:
    with Line(server.port) as line:
        line.say(b"POST /telemetry HTTP/1.1\r\nhost: x\r\ncontent-length: 50000000\r\n\r\n")
        line.say(b" " * 3_000_000)
        answer = line.answer()
    assert (answer.status, answer.body["code"]) == (413, "body_too_large")


def test_after_all_this_the_books_balance(server: Doors) -> None:
    events = server.wait_until_stored()["events"]
    assert events["equation_holds"]
    assert events["pending"] == 0
