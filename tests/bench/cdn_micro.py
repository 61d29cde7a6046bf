"""What one line of a CDN log costs at the door, without network: CPU µs per line and format."""

import asyncio
import time

import msgspec

from playhead.clock import SystemClock
from support.cdn_door import Doorstep

LINES = 2_000
REQUESTS = 10
USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Safari/537.36"
)
CMCD = "CMCD=bl%3D21300%2Cbr%3D3200%2Ccid%3D%22film%22%2Cd%3D4004%2Cmtp%3D25400%2Cot%3Dv%2Csf%3Dh%2Csid%3D%226e2fb550%22%2Cst%3Dv"


def edgecast(at_s: float, index: int, query: str = "pbs=8950000a88224e16&drm=1&si=0") -> bytes:
    return msgspec.json.encode({
        "user_agent": f"{USER_AGENT} {index % 40}",
        "rewritten_path": f"/80C078/origin/slices/56d/owner/56dce{index % 90}/FP_{index:09X}.ts",
        "path": f"/auso/slices/56d/owner/56dce{index % 90}/FP_{index:09X}.ts",
        "timestamp": at_s, "client_ip": f"203.0.113.{index % 250}", "client_port": 39670,
        "client_ip_version": "INET", "status_code": 200, "status": "OK",
        "cache_status": "TCP_HIT", "bytes_out": 1396836 + index, "write_time": 0.001973,
        "file_size": 1396276 + index, "server_ip": "68.232.38.145", "server_port": 443,
        "method": "GET", "host": "x-stgec.uplynk.com", "query": query, "auth_user": "",
        "read_time": 0.0, "background_fill_wait_time": 0.0, "bytes_in": 2002, "referer": "",
        "client_asn": 209, "client_as_org": "CENTURYLINK", "client_isp": "CenturyLink",
        "client_continent_code": "NA", "client_country_code": "US", "client_city": "Greenville",
        "client_region": "NC", "client_geo_latitude": 35.620602,
        "client_geo_longitude": -77.394402, "first_byte_served": 1, "last_byte_served": 1,
        "pop": "dce", "proxy_ip": "", "proxy_port": 0, "platform": "wpc", "scheme": "https",
        "uuid": f"4937655429861355872115784128213{index:06}", "client_protocol": "HTTP_2_0",
        "custom_field": "x-player-request: true",
    })  # fmt: skip


def akamai(at_s: float, index: int) -> bytes:
    return msgspec.json.encode({
        "version": 1, "cp": "123456", "reqId": f"1239f{index}", "reqTimeSec": f"{at_s:.3f}",
        "bytes": "4995", "totalBytes": "5125", "cliIP": f"203.0.113.{index % 250}",
        "statusCode": "206", "proto": "HTTP/2", "reqHost": "vod.example", "reqMethod": "GET",
        "reqPath": f"movies/tears{index % 90}/720p/{index}.m4s", "UA": USER_AGENT,
        "country": "US", "state": "Virginia", "city": "HERNDON", "cacheStatus": "1",
        "timeToFirstByte": "12", "transferTimeMSec": "125", "asn": "7922",
    })  # fmt: skip


def fastly(at_s: float, index: int) -> bytes:
    return msgspec.json.encode({
        "time_start": at_s, "time_elapsed": 125300, "client_ip": f"203.0.113.{index % 250}",
        "request": "GET", "protocol": "HTTP/1.1", "host": "fast.example",
        "url": f"/live/ch{index % 90}/480p/{index}.ts?sid=view-9", "fastly_info_state": "HIT",
        "response_status": 200, "resp_body_size": 900, "server_datacenter": "FRA",
        "geo_country_code": "DE", "request_user_agent": USER_AGENT,
    })  # fmt: skip


def cloudfront(at_s: float, index: int) -> bytes:
    clock = time.strftime("%Y-%m-%d\t%H:%M:%S", time.gmtime(at_s))
    agent = USER_AGENT.replace(" ", "%20")
    return (
        f"{clock}\tFRA56-P4\t1045619\t203.0.113.{index % 250}\tGET\td1.cloudfront.net"
        f"\t/movies/tears{index % 90}/720p/{index}.m4s\t200\t-\t{agent}\tsession=abc\t-\tHit"
        f"\tSOX4xwn4XV6Q4rgb7XiVGOHms{index}==\tvideo.example\thttps\t352\t0.318\t-\tTLSv1.3"
        "\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.045\tHit\tvideo/mp4\t1045000"
        "\t-\t-"
    ).encode()


def nginx(at_s: float, index: int) -> bytes:
    clock = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at_s))
    request = f"GET /vod/m{index % 90}/360p/{index}.m4s?session=1 HTTP/1.1"
    return f'203.0.113.{index % 250} - - [{clock}] "{request}" 200 153 "-" "{USER_AGENT}"'.encode()


async def measure(doorstep: Doorstep, body: bytes, query: str) -> float:
    best_us = float("inf")
    for _ in range(REQUESTS):
        started_s = time.process_time()
        sent = await doorstep.knock(body, query)
        best_us = min(best_us, (time.process_time() - started_s) / LINES * 1e6)
        assert sent.body["accepted"] == LINES, sent.body
    return best_us


async def main() -> None:
    now_ms = SystemClock().now_ms()
    doorstep = Doorstep(now_ms=now_ms)
    at_s = now_ms / 1000 - 60
    cases = {
        "edgecast": [edgecast(at_s, i) for i in range(LINES)],
        "edgecast&with=cmcd": [edgecast(at_s, i, CMCD) for i in range(LINES)],
        "akamai": [akamai(at_s, i) for i in range(LINES)],
        "fastly": [fastly(at_s, i) for i in range(LINES)],
        "cloudfront": [cloudfront(at_s, i) for i in range(LINES)],
        "nginx": [nginx(at_s, i) for i in range(LINES)],
        "json": [fastly(at_s, i) for i in range(LINES)],
    }
    for name, lines in cases.items():
        body = b"\n".join(lines)
        spent_us = await measure(doorstep, body, f"format={name}")
        print(f"{name:20} {len(body) // LINES:5} bytes {spent_us:6.1f} µs a line")


if __name__ == "__main__":
    asyncio.run(main())
