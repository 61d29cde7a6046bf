from base64 import b64encode, urlsafe_b64encode

import pytest

from playhead.model.cmcd.cmsd import HOPS_MAX, hops_of, static_of
from playhead.model.event import Hop

DYNAMIC = '"CDN;A, 1";etp=96;rtt=8, "CDN-B";etp=76;mb=5000;rd=3;du'
HOPS = [
    Hop(name="CDN;A, 1", throughput_kbps=96, rtt_ms=8),
    Hop(name="CDN-B", throughput_kbps=76, max_bitrate_kbps=5000, delay_ms=3, duress=True),
]


@pytest.mark.parametrize(
    "header",
    [
        DYNAMIC,
        b64encode(DYNAMIC.encode()).decode(),
        urlsafe_b64encode(DYNAMIC.encode()).decode().rstrip("="),
    ],
)
def test_hops_are_read_raw_and_from_base64(header: str) -> None:
    assert hops_of(header) == HOPS


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ('n="CDN-A";etp=9', ["CDN-A"]),
        ('etp=9;n="CDN-A"', ["CDN-A"]),
        ("cdn-a;etp=9", ["cdn-a"]),
        ('"A";etp=x;rtt=;du=9, ;;, "B', ["A"]),
        ("etp=9", [None]),
        ("", []),
    ],
)
def test_a_hop_is_what_can_be_read_of_it(header: str, names: list[str | None]) -> None:
    assert [hop.name for hop in hops_of(header)] == names


@pytest.mark.parametrize("header", ['n="A;etp=9;rtt=1', '"' + '\\"' * 4_000 + ";etp=9;rtt=1"])
def test_a_quote_that_is_never_closed_counts_for_nothing(header: str) -> None:
    assert hops_of(header) == [Hop(throughput_kbps=9, rtt_ms=1)]


def test_a_header_full_of_open_quotes_takes_no_time() -> None:
    assert hops_of('"\\' * 40_000) == []


def test_hops_are_bounded() -> None:
    assert len(hops_of(",".join(['"a";etp=1'] * 40))) == HOPS_MAX


def test_the_object_s_facts_are_read() -> None:
    header = 'ot=v,sf=h,st=l,d=5000,br=2000,n="OriginProviderA",su,x=1.5,y=?0,bad=(1),nor="a,b"'
    assert static_of(b64encode(header.encode()).decode()) == {
        "ot": "v", "sf": "h", "st": "l", "d": 5000, "br": 2000, "n": "OriginProviderA",
        "su": True, "x": 1.5, "y": False, "nor": "a,b",
    }  # fmt: skip
