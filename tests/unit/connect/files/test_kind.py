from pathlib import Path

import pytest

from playhead.connect.files.kind import Kind, kind_of, target_of
from playhead.connect.files.lines import Source
from playhead.errors import InvalidRequest


def guessed(name: str, head: bytes, *, mapped: bool = False) -> Kind:
    return kind_of(Source(Path(name), name, 1, ""), head, mapped=mapped)


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.ndjson", b'{"eventType":"PLAY"}', Kind.TELEMETRY),
        ("a.log", b'[{"eventType":"PLAY"}]', Kind.TELEMETRY),
        ("a.csv.gz", b"a,b", Kind.CSV),
        ("a.ndjson", b'{"status_code":200,"cache_status":"TCP_HIT"}', Kind.CDN),
        ("a.log", b'192.0.2.1 - - [10/Oct/2026:13:55:36 +0000] "GET /', Kind.CDN),
        ("a.txt", b"#Version: 1.0", Kind.CDN),
        ("a.txt", b'e=ps,sid="s",sta=p,ts=1,v=2', Kind.CMCD),
        ("a.cmcd", b"bg", Kind.CMCD),
    ],
)
def test_a_file_is_known_by_name_and_first_line(name: str, head: bytes, kind: Kind) -> None:
    assert guessed(name, head) is kind


def test_with_a_mapping_it_is_a_table() -> None:
    assert guessed("a.log", b"{}", mapped=True) is Kind.CSV


@pytest.mark.parametrize("head", [b"hello", b'{"a":1}', b"{", b"[]"])
def test_what_cannot_be_told_is_asked_for(head: bytes) -> None:
    with pytest.raises(InvalidRequest) as raised:
        guessed("a.txt", head)
    assert "--kind" in raised.value.hint


def test_each_kind_has_its_door() -> None:
    paths = [
        target_of(kind, None, format_name="nginx", name="a b").path
        for kind in (Kind.TELEMETRY, Kind.CDN, Kind.CMCD, Kind.EVENTS)
    ]
    assert paths == ["/telemetry", "/logs/cdn?format=nginx", "/cmcd", "/v0/events?name=a+b"]


@pytest.mark.parametrize(("kind", "said"), [(Kind.CSV, "--map"), (Kind.EVENTS, "--name")])
def test_what_is_missing_is_said(kind: Kind, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        target_of(kind, None, format_name="", name="")
    assert said in raised.value.hint
