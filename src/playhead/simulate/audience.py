"""Who watches: countries with their networks, and what people watch on."""

import random
from itertools import accumulate

import msgspec


class Country(msgspec.Struct, frozen=True):
    """A country: its share of the audience, its part of the world and its regions.

    `networks` are (AS number, share), `access` weights of the names in `network.py`.
    """

    code: str
    weight: float
    part: str
    regions: tuple[str, ...]
    networks: tuple[tuple[int, float], ...]
    access: tuple[tuple[str, float], ...]


_RICH = (("fibre", 3.0), ("cable", 3.0), ("wifi", 2.5), ("5g", 1.0), ("4g", 1.5))
_MIXED = (("fibre", 1.0), ("cable", 1.5), ("wifi", 3.0), ("5g", 0.5), ("4g", 3.0), ("3g", 0.4))
_MOBILE = (("wifi", 2.5), ("5g", 1.0), ("4g", 5.0), ("3g", 0.8))

COUNTRIES: tuple[Country, ...] = (
    Country("US", 24, "na", ("CA", "NY", "TX", "WA"),
            ((7922, 4), (20115, 3), (7018, 3), (21928, 2)), _RICH),
    Country("DE", 13, "eu", ("BE", "BY", "NW", "HH"), ((3320, 4), (3209, 3), (6805, 2)), _RICH),
    Country("GB", 10, "eu", ("ENG", "SCT"), ((2856, 3), (5089, 2), (5607, 2)), _RICH),
    Country("FR", 9, "eu", ("IDF", "ARA"), ((3215, 4), (12322, 3), (15557, 2)), _RICH),
    Country("ES", 6, "eu", ("MD", "CT"), ((3352, 3), (12479, 2)), _RICH),
    Country("SE", 3, "eu", ("AB", "O"), ((3301, 3), (1257, 2)), _RICH),
    Country("BR", 10, "sa", ("SP", "RJ", "BA"), ((28573, 3), (26599, 3)), _MIXED),
    Country("IN", 11, "as", ("MH", "KA", "DL"), ((55836, 5), (24560, 3)), _MOBILE),
    Country("JP", 6, "as", ("13", "27"), ((2516, 3), (17676, 3), (4713, 2)), _RICH),
    Country("AU", 4, "oc", ("NSW", "VIC"), ((1221, 3), (4804, 2)), _MIXED),
    Country("ID", 4, "as", ("JK", "JB"), ((7713, 3), (23693, 3)), _MOBILE),
)  # fmt: skip
_COUNTRY_WEIGHTS = list(accumulate(country.weight for country in COUNTRIES))


class DeviceModel(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of device as the server sees it: user agent, client fields, screen."""

    category: str
    weight: float
    os: str
    os_version: str
    browser: str
    browser_version: str
    model: str
    user_agent: str
    player_name: str
    player_version: str
    width: int
    height: int
    pixel_ratio: float
    top_height: int
    drop_rate: float
    """Share of frames dropped."""
    start_ms: int
    """What the player itself needs before its first request."""
    wired: bool = False
    """No cellular access."""
    clock_drift: float = 1.0
    """How often its clock is wrong, against the average."""

    def described(self) -> dict[str, object]:
        """Return it as the `device` part of an event."""
        return {
            "category": self.category,
            "model": self.model,
            "browser": self.browser,
            "browserVersion": self.browser_version,
            "os": self.os,
            "osVersion": self.os_version,
            "screenWidth": self.width,
            "screenHeight": self.height,
            "pixelRatio": self.pixel_ratio,
        }


_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
_WIN = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"

DEVICES: tuple[DeviceModel, ...] = (
    DeviceModel(
        category="desktop", weight=16, os="Windows", os_version="10", browser="Chrome",
        browser_version="142", model="", user_agent=f"{_WIN} {_CHROME} Safari/537.36",
        player_name="hls.js", player_version="1.7.1", width=1280, height=720, pixel_ratio=1.25,
        top_height=1080, drop_rate=0.0015, start_ms=120,
    ),
    DeviceModel(
        category="desktop", weight=9, os="Mac OS X", os_version="10.15.7", browser="Safari",
        browser_version="26.0", model="",
        user_agent=f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
        player_name="native", player_version="26.0", width=1280, height=720, pixel_ratio=2,
        top_height=1080, drop_rate=0.0005, start_ms=160,
    ),
    DeviceModel(
        category="desktop", weight=5, os="Linux", os_version="", browser="Firefox",
        browser_version="145.0", model="",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        player_name="dash.js", player_version="5.2.0", width=1120, height=630, pixel_ratio=1,
        top_height=1080, drop_rate=0.003, start_ms=170,
    ),
    DeviceModel(
        category="phone", weight=20, os="Android", os_version="16", browser="Chrome Mobile",
        browser_version="142", model="Pixel 9",
        user_agent=f"Mozilla/5.0 (Linux; Android 16; Pixel 9) {_CHROME} Mobile Safari/537.36",
        player_name="shaka", player_version="4.16.2", width=412, height=232, pixel_ratio=2.625,
        top_height=1080, drop_rate=0.004, start_ms=220,
    ),
    DeviceModel(
        category="phone", weight=15, os="iOS", os_version="26.0", browser="Mobile Safari",
        browser_version="26.0", model="iPhone",
        user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
        player_name="AVPlayer", player_version="26.0", width=390, height=219, pixel_ratio=3,
        top_height=1080, drop_rate=0.0008, start_ms=190,
    ),
    DeviceModel(
        category="tablet", weight=6, os="iOS", os_version="18.6", browser="Mobile Safari",
        browser_version="18.6", model="iPad",
        user_agent="Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
        player_name="AVPlayer", player_version="18.6", width=1024, height=576, pixel_ratio=2,
        top_height=1080, drop_rate=0.001, start_ms=200,
    ),
    DeviceModel(
        category="tv", weight=12, os="Tizen", os_version="8.0", browser="Samsung Browser",
        browser_version="7.0", model="SmartTV",
        user_agent="Mozilla/5.0 (SMART-TV; LINUX; Tizen 8.0) AppleWebKit/537.36 (KHTML, like Gecko)"
        " SamsungBrowser/7.0 Chrome/108.0.5359.1 TV Safari/537.36",
        player_name="shaka", player_version="4.11.7", width=1920, height=1080, pixel_ratio=2,
        top_height=2160, drop_rate=0.002, start_ms=650, wired=True, clock_drift=4,
    ),
    DeviceModel(
        category="tv", weight=7, os="webOS", os_version="24", browser="Chrome",
        browser_version="108", model="webOS TV",
        user_agent="Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/108.0.5359.211 Safari/537.36 WebAppManager",
        player_name="hls.js", player_version="1.6.13", width=1920, height=1080, pixel_ratio=2,
        top_height=2160, drop_rate=0.006, start_ms=800, wired=True, clock_drift=6,
    ),
    DeviceModel(
        category="set-top", weight=6, os="Android", os_version="9", browser="Android",
        browser_version="", model="AFTKA",
        user_agent="ExamplePlayer/3.2 (Linux; Android 9; AFTKA Build/PS7633; en) media3/1.9.0",
        player_name="media3", player_version="1.9.0", width=1920, height=1080, pixel_ratio=1,
        top_height=1080, drop_rate=0.002, start_ms=420, wired=True, clock_drift=2,
    ),
    DeviceModel(
        category="console", weight=4, os="Other", os_version="", browser="Edge",
        browser_version="142", model="Xbox",
        user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) AppleWebKit/"
        "537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
        player_name="shaka", player_version="4.16.2", width=1920, height=1080, pixel_ratio=2,
        top_height=2160, drop_rate=0.0006, start_ms=300, wired=True,
    ),
)  # fmt: skip
_DEVICE_WEIGHTS = list(accumulate(device.weight for device in DEVICES))
CELLULAR = frozenset({"5g", "4g", "3g"})


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """One person in front of one device for one visit."""

    viewer_id: str
    country: Country
    region: str
    asn: int
    access: str
    device: DeviceModel
    variant: str
    clock_skew_ms: int
    """The device's clock minus true time."""

    @property
    def headers(self) -> dict[str, str]:
        """Return what the viewer's requests carry through a CDN in front of the server."""
        return {
            "content-type": "application/json",
            "user-agent": self.device.user_agent,
            "x-country-code": self.country.code,
            "x-region-code": self.region,
            "x-asn": str(self.asn),
        }


def pick_viewer(rng: random.Random, *, skewed_clock_share: float) -> Viewer:
    """Return a viewer drawn from the audience."""
    country = rng.choices(COUNTRIES, cum_weights=_COUNTRY_WEIGHTS)[0]
    device = rng.choices(DEVICES, cum_weights=_DEVICE_WEIGHTS)[0]
    names = [name for name, _ in country.access]
    weights = [
        0.0 if device.wired and name in CELLULAR else weight for name, weight in country.access
    ]
    networks, shares = zip(*country.networks, strict=True)
    skewed = rng.random() < skewed_clock_share * device.clock_drift
    return Viewer(
        viewer_id=f"viewer-{rng.getrandbits(48):012x}",
        country=country,
        region=rng.choice(country.regions),
        asn=rng.choices(networks, weights=shares)[0],
        access=rng.choices(names, weights=weights)[0],
        device=device,
        variant=rng.choice(("control", "low-start")),
        clock_skew_ms=round(rng.gauss(0, 3_600_000)) if skewed else round(rng.gauss(0, 150)),
    )
