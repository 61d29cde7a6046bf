import pytest

from playhead.model.cdn import HOSTS, cdn_of


@pytest.mark.parametrize(
    ("host", "cdn"),
    [
        ("d111111abcdef8.cloudfront.net", "cloudfront"),
        ("VIDEO.akamaized.net.", "akamai"),
        ("https://user@x.b-cdn.net:443/a/b.m3u8?c=fastly.net", "bunny"),
        ("cdn.fastly.net:8443", "fastly"),
        ("vz-1.b-cdn.net", "bunny"),
        ("rr4---sn.googlevideo.com", "google"),
        ("notcloudfront.net", ""),
        ("cloudfront.net.evil.example", ""),
        ("tv.example", ""),
        ("", ""),
        ("." * 50, ""),
        ("x" * 5_000, ""),
    ],
)
def test_a_host_belongs_to_the_cdn_of_its_ending(host: str, cdn: str) -> None:
    assert cdn_of(host) == cdn


def test_the_users_own_hosts_win() -> None:
    own = (("edge.tv.example", "own"), ("*.cloudfront.net", "first"))
    assert cdn_of("a.edge.tv.example", own) == "own"
    assert cdn_of("d1.cloudfront.net", own) == "first"
    assert cdn_of("x.fastly.net", own) == "fastly"


def test_the_table_names_each_ending_once() -> None:
    endings = [ending for ending, _ in HOSTS]
    assert len(endings) == len(set(endings))
    assert all(cdn_of("a." + ending) for ending in endings)
