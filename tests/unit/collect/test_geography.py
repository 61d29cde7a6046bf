from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from playhead.clock import ManualClock
from playhead.collect.geography import NOWHERE, Geography, Place
from playhead.config import Collect

WriteMmdb = Callable[[Path, Mapping[str, Mapping[str, Any]]], None]
SWEDEN = {
    "country": {"iso_code": "SE"},
    "subdivisions": [{"iso_code": "AB"}],
    "city": {"names": {"en": "Stockholm"}},
}
RANGES: dict[str, dict[str, Any]] = {
    "198.51.100.0/24": SWEDEN,
    "203.0.113.0/24": {"registered_country": {"iso_code": "NO"}},
    "192.0.2.0/24": {"country": {"iso_code": "sweden"}, "city": 5, "subdivisions": {}},
    "2001:db8:1::/48": {"country": {"iso_code": "FI"}},
}
NETWORKS: dict[str, dict[str, Any]] = {
    "198.51.100.0/24": {"autonomous_system_number": 64_500, "autonomous_system_organization": "Net"}
}


@pytest.fixture
def geography(tmp_path: Path, write_mmdb: WriteMmdb) -> Geography:
    write_mmdb(tmp_path / "geo.mmdb", RANGES)
    write_mmdb(tmp_path / "asn.mmdb", NETWORKS)
    config = Collect(geo_file=f"{tmp_path}/geo.mmdb", asn_file=f"{tmp_path}/asn.mmdb")
    return Geography(config, ManualClock())


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("198.51.100.7", Place("SE", "AB", "Stockholm", 64_500, "Net")),
        ("::ffff:198.51.100.7", Place("SE", "AB", "Stockholm", 64_500, "Net")),
        ("203.0.113.9", Place("NO")),
        ("2001:db8:1:2::3", Place("FI")),
        ("192.0.2.1", NOWHERE),
        ("8.8.8.8", NOWHERE),
        ("nonsense", NOWHERE),
        ("", NOWHERE),
    ],
)
def test_an_address_has_a_place_or_none(geography: Geography, address: str, place: Place) -> None:
    assert geography.place(address, {}, trusted=False) == place


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ({b"cf-ipcountry": b"DE"}, Place("DE", "", "", 64_500, "Net")),
        ({b"cf-ipcountry": b"SE", b"x-region-code": b"O"}, Place("SE", "O", "Stockholm", 64_500, "Net")),
        ({b"x-asn": b"AS64501"}, Place("SE", "AB", "Stockholm", 64_501)),
        ({b"cf-ipcountry": b"T1"}, Place("SE", "AB", "Stockholm", 64_500, "Net")),
        ({b"cf-ipcountry": b"\xff\xff", b"x-asn": b"\xb2"}, Place("SE", "AB", "Stockholm", 64_500, "Net")),
    ],
)  # fmt: skip
def test_a_trusted_proxy_is_believed_first(
    geography: Geography, headers: dict[bytes, bytes], place: Place
) -> None:
    assert geography.place("198.51.100.7", headers, trusted=True) == place
    assert geography.place("198.51.100.7", headers, trusted=False).country == "SE"


def test_a_changed_file_is_loaded_and_a_broken_one_is_not(
    tmp_path: Path, write_mmdb: WriteMmdb
) -> None:
    path, clock = tmp_path / "geo.mmdb", ManualClock()
    geography = Geography(Collect(geo_file=str(path)), clock)
    assert any("geo.mmdb" in problem for problem in geography.problems)
    for written, country in ((b"broken", ""), ("SE", "SE"), (b"", "SE"), ("DK", "DK")):
        if isinstance(written, bytes):
            path.write_bytes(written)
        else:
            write_mmdb(path, {"198.51.100.0/24": {"country": {"iso_code": written}}})
        clock.advance(5_000)
        assert geography.place("198.51.100.7", {}, trusted=False).country == country
    assert not geography.problems
    geography.close()
