import pytest

from playhead.collect.logs.formats import guess


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'{"client_asn":1,"write_time":0.1}', "edgecast"),
        (b'{"reqTimeSec":"1","reqPath":"a"}', "akamai"),
        (b'{"time_elapsed":1}', "fastly"),
        (b'{"cs-uri-stem":"/a","date":"2025-12-15"}', "cloudfront"),
        (b'{"cs-uri-stem":"/a","timestamp":"1"}', "cloudfront-realtime"),
        (b'{"path":"/a"}', "json"),
        (b'{"path":', "json"),
        (b"#Version: 1.0", "cloudfront"),
        (b"2025-12-15\t22:16:40\tFRA", "cloudfront"),
        (b"1765837000.250\t1.2.3.4", "cloudfront-realtime"),
        (b'1.2.3.4 - - [15/Dec/2025:22:16:40 +0000] "GET / HTTP/1.1"', "nginx"),
    ],
)
def test_a_line_tells_its_format(line: bytes, name: str) -> None:
    assert guess([line]) == name


def test_a_broken_first_line_does_not_decide() -> None:
    assert guess([b'{"a":1}', b'{"reqTimeSec":"1","reqPath":"a"}']) == "akamai"


def test_columns_in_the_request_mean_real_time_logs() -> None:
    assert guess([b"GET\t/a"], has_columns=True) == "cloudfront-realtime"
