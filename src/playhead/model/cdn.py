"""Which CDN a host belongs to: one rules table, a pure function, the same for door and worker."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

HOSTS: Final[tuple[tuple[str, str], ...]] = (
    ("akamaihd.net", "akamai"),
    ("akamaized.net", "akamai"),
    ("akamaized-staging.net", "akamai"),
    ("akamai.net", "akamai"),
    ("akamaiedge.net", "akamai"),
    ("akamaistream.net", "akamai"),
    ("akacdn.ru", "akamai"),
    ("edgekey.net", "akamai"),
    ("edgesuite.net", "akamai"),
    ("cloudfront.net", "cloudfront"),
    ("fastly.net", "fastly"),
    ("fastlylb.net", "fastly"),
    ("fastly-edge.com", "fastly"),
    ("global.ssl.fastly.net", "fastly"),
    ("cloudflare.com", "cloudflare"),
    ("cloudflare.net", "cloudflare"),
    ("cloudflarestream.com", "cloudflare"),
    ("videodelivery.net", "cloudflare"),
    ("r2.dev", "cloudflare"),
    ("edgecastcdn.net", "edgecast"),
    ("edgecast.com", "edgecast"),
    ("systemcdn.net", "edgecast"),
    ("transactcdn.net", "edgecast"),
    ("vo.llnwd.net", "limelight"),
    ("llnwd.net", "limelight"),
    ("llnwi.net", "limelight"),
    ("lldns.net", "limelight"),
    ("edgio.net", "edgio"),
    ("edgio.link", "edgio"),
    ("googlevideo.com", "google"),
    ("googleusercontent.com", "google"),
    ("googleapis.com", "google"),
    ("gvt1.com", "google"),
    ("azureedge.net", "azure"),
    ("azurefd.net", "azure"),
    ("vo.msecnd.net", "azure"),
    ("msecnd.net", "azure"),
    ("streaming.media.azure.net", "azure"),
    ("blob.core.windows.net", "azure"),
    ("b-cdn.net", "bunny"),
    ("bunnycdn.com", "bunny"),
    ("mediadelivery.net", "bunny"),
    ("cdn77.org", "cdn77"),
    ("cdn77.com", "cdn77"),
    ("rsc.cdn77.org", "cdn77"),
    ("gcdn.co", "gcore"),
    ("gcorelabs.net", "gcore"),
    ("gcore.com", "gcore"),
    ("kxcdn.com", "keycdn"),
    ("stackpathcdn.com", "stackpath"),
    ("stackpathdns.com", "stackpath"),
    ("hwcdn.net", "stackpath"),
    ("netdna-cdn.com", "stackpath"),
    ("cachefly.net", "cachefly"),
    ("footprint.net", "lumen"),
    ("lumencdn.net", "lumen"),
    ("lswcdn.net", "leaseweb"),
    ("leasewebcdn.com", "leaseweb"),
    ("quantil.com", "cdnetworks"),
    ("cdngc.net", "cdnetworks"),
    ("cdnetworks.net", "cdnetworks"),
    ("wscdns.com", "cdnetworks"),
    ("alicdn.com", "alibaba"),
    ("kunlunsl.com", "alibaba"),
    ("kunlunca.com", "alibaba"),
    ("myqcloud.com", "tencent"),
    ("dnsv1.com", "tencent"),
    ("imgix.net", "imgix"),
    ("mux.com", "mux"),
    ("jwpcdn.com", "jwplayer"),
    ("jwplatform.com", "jwplayer"),
    ("vimeocdn.com", "vimeo"),
    ("ttvnw.net", "twitch"),
    ("live-video.net", "amazon_ivs"),
    ("nflxvideo.net", "netflix"),
    ("medianova.com", "medianova"),
    ("mncdn.com", "medianova"),
    ("digitaloceanspaces.com", "digitalocean"),
    ("ngenix.net", "ngenix"),
    ("swiftserve.com", "conversant"),
    ("5centscdn.com", "5centscdn"),
    ("belugacdn.com", "beluga"),
    ("amazonaws.com", "aws"),
)
"""Host ending → CDN. The longest ending that fits, at a dot, wins."""

HOST_LENGTH_MAX: Final = 255
_BY_ENDING: Final[dict[str, str]] = dict(HOSTS)


@lru_cache(maxsize=4_096)
def _found(host: str, extra: tuple[tuple[str, str], ...]) -> str:
    name = host.strip().lower()
    if "//" in name:
        name = name.split("//", 1)[1]
    name = name.split("/", 1)[0].rsplit("@", 1)[-1].split(":", 1)[0].rstrip(".")
    own = {ending.lower().strip(".*"): cdn for ending, cdn in extra}
    for table in (own, _BY_ENDING):
        ending = name
        while ending:
            if ending in table:
                return table[ending]
            _, _, ending = ending.partition(".")
    return ""


def cdn_of(host: str, extra: Sequence[Sequence[str]] = ()) -> str:
    """Return the CDN a host name or URL belongs to, or an empty string if no rule fits.

    Args:
        host: A host name, with or without port, or a URL.
        extra: `collect.cdn_hosts` of the settings: (ending, CDN) pairs that win over the table.
    """
    if not host or len(host) > HOST_LENGTH_MAX * 8:
        return ""
    pairs = extra if isinstance(extra, tuple) else tuple((e, c) for e, c in extra)
    return _found(host, pairs)
