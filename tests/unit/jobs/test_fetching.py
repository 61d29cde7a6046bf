import pytest

from playhead.errors import InvalidRequest
from playhead.jobs.fetching import _resolved, checked_url

ALLOWED = ("files.example.com", ".example.org", "127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.com/a.csv?x=1",
        "http://FILES.example.com:8080/a",
        "https://a.b.example.org/a",
        "http://127.0.0.1:9/a",
    ],
)
def test_allowed_hosts(url: str) -> None:
    assert checked_url(url, ALLOWED).hostname


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.com/a", "none of jobs.allowed_import_hosts"),
        ("https://notexample.org/a", "none of"),
        ("https://example.org.evil.com/a", "none of"),
        ("https://a.example.org:444/a", "Another port"),
        ("https://user:pass@files.example.com/a", "without a password"),
        ("file:///etc/passwd", "http or https"),
        ("https://[::1/a", "cannot be read"),
        ("https://files.example.com:99999/a", "cannot be read"),
        ("https://169.254.169.254/a", "none of"),
    ],
)
def test_other_hosts(url: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        checked_url(url, ALLOWED)
    with pytest.raises(InvalidRequest, match="switched off"):
        checked_url(url, ())


async def test_a_name_that_leads_into_a_private_network_must_be_named_itself() -> None:
    parts = checked_url("http://localhost/a", ("localhost",))
    assert await _resolved(parts, ("localhost",)) in {"127.0.0.1", "::1"}
    with pytest.raises(InvalidRequest, match="private network"):
        await _resolved(parts, (".localhost",))
