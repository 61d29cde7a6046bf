"""Device rules: what a user agent says about the device, in order; the first that fits wins.

The general parser knows browsers well and televisions badly, so the screens that stream most
have rules here. `tests/unit/collect/test_device_rules.py` has an example of each.
"""

from typing import Final, NamedTuple

PROGRAM: Final = "program"
"""Name of the rule for libraries and tools that send requests and play nothing."""


class Rule(NamedTuple):
    """A regular expression over the user agent in small letters and what it means.

    An empty `os` leaves the operating system to the general parser.
    """

    name: str
    pattern: str
    device_class: str
    os: str = ""


RULES: Final[tuple[Rule, ...]] = (
    # Machines first: many call themselves after the device they imitate.
    Rule(
        "search_bot",
        r"(?:google|bing|yandex|apple|duckduck|baidu|petal|seznam|sogou)[a-z-]{0,20}(?:bot|spider)",
        "bot",
    ),
    Rule("named_bot", r"(?<!cu)bot\b|(?:crawler|spider|scraper|slurp)\b", "bot"),
    Rule(
        "link_preview",
        r"facebookexternalhit|facebookcatalog|meta-external|whatsapp/|skypeuripreview|embedly|iframely|vkshare|(?:bing|link|url|web|snap url)[ -]?preview|google-(?:pagerenderer|inspectiontool|read-aloud)",
        "bot",
    ),
    Rule(
        "headless_browser",
        r"headless|phantomjs|slimerjs|puppeteer|playwright|selenium|webdriver|cypress/|lighthouse|jsdom/|htmlunit|prerender|rendertron",
        "bot",
    ),
    Rule(
        "monitor",
        r"pingdom|uptime-?robot|uptime-kuma|statuscake|site24x7|gtmetrix|datadog[ /-]?synthetics?|newrelic-?(?:pinger|synthetics)|nagios|check_http/|zabbix|checkly|hetrixtools|catchpoint|ruxitsynthetic|cloudwatchsynthetics|webpagetest|\bptst/|freshping|nodeping|updown\.io|elb-healthchecker|route53-health-check|googlehc/|kube-probe/|blackbox[ -]exporter",
        "bot",
    ),
    Rule(
        "fetcher",
        r"mediapartners-google|apis-google|feedfetcher|googleother|chatgpt-user|perplexity-user|ia_archiver|archive\.org_bot|httrack|screaming frog|scrapy/|colly|nutch|heritrix|bytespider|bubing",
        "bot",
    ),
    # Consoles.
    Rule("playstation_vita", r"playstation vita|playstation portable", "console", "PlayStation"),
    Rule("playstation", r"playstation|\bps[345]\b", "console", "PlayStation"),
    Rule("xbox", r"xbox", "console", "Xbox"),
    Rule("nintendo", r"nintendo", "console", "Nintendo"),
    # Sticks and boxes.
    Rule(
        "fire_tv_television",
        r"\baft(?:ba|cl|ed|hms|ja|jm|ka00\d|lbt|lft|mmv|pr|ri|so|sss_tv|ti|wi)\w*|fire tv edition|insignia.*aft",
        "tv",
        "Fire OS",
    ),
    Rule("fire_tv", r"\baft[a-z]{1,4}\d*\b|amazon fire ?tv|\bfiretv\b", "set_top", "Fire OS"),
    Rule(
        "roku_television",
        r"roku ?tv|roku.*\b(?:tcl|hisense|onn|westinghouse|element|jvc|rca)\b",
        "tv",
        "Roku OS",
    ),
    Rule("roku", r"\broku\b|roku/", "set_top", "Roku OS"),
    Rule("apple_tv", r"apple ?tv|\btvos\b|appletv\d", "set_top", "tvOS"),
    Rule("chromecast", r"\bcrkey\b|chromecast", "set_top", "Chromecast"),
    Rule("nvidia_shield", r"shield android tv", "set_top", "Android TV"),
    Rule("xiaomi_box", r"\bmibox\w*|mi box|\bmitv-m", "set_top", "Android TV"),
    Rule("google_tv_streamer", r"google tv streamer", "set_top", "Android TV"),
    Rule(
        "comcast", r"\bx1 ?comcast|wpe comcast|\bpx\d{3}\w*\b.*comcast|xione|xumo", "set_top", "RDK"
    ),
    Rule("rdk", r"\brdk\b|rdk[-_ ]?v?\d|wpe stb", "set_top", "RDK"),
    Rule(
        "operator_box",
        r"bouygtel4k|freebox|livebox|\bstb\b|set-?top ?box|settop|humax|technicolor|sagemcom|skyq|sky_stb|kaon|arris|vip\d{4}|mag\d{3}|infomir|tivo|dreambox|vodafone.*box|magenta ?tv box|virgin ?media",
        "set_top",
    ),
    # Televisions.
    Rule("samsung_tizen", r"tizen.*(?:\btv\b|smart-?tv)|smart-?tv.*tizen", "tv", "Tizen"),
    Rule(
        "samsung_maple", r"\bmaple\b|smart-?tv.*samsung|samsung.*smart-?tv", "tv", "Samsung Orsay"
    ),
    Rule("lg_webos", r"web0s|webos.*(?:tv|large)|webos\.tv|lg ?smart ?tv", "tv", "webOS"),
    Rule("lg_netcast", r"netcast|\blge?[ -]?nc\d|lg browser", "tv", "NetCast"),
    Rule("sony_bravia", r"bravia", "tv"),
    Rule(
        "philips_television", r"philipstv|philips.*\btv\b|\bnettv\b|\btpvision\b|\btpm\d{3}", "tv"
    ),
    Rule("panasonic_viera", r"viera|panasonic.*\btv\b", "tv"),
    Rule("hisense_vidaa", r"vidaa|hisense", "tv", "VIDAA"),
    Rule("vizio_smartcast", r"vizio|smartcast", "tv", "SmartCast"),
    Rule("sharp_aquos", r"aquos(?!phone| phone|.*\bsh-)", "tv"),
    Rule("toshiba_television", r"toshiba.*\btv\b|toshibatp", "tv"),
    Rule("tcl_television", r"\btcl\b.*(?:\btv\b|android)|smart tv.*\btcl\b", "tv"),
    Rule("xiaomi_television", r"\bmi ?tv\b|\bmitv\b|mitv-", "tv", "Android TV"),
    Rule("titan_os", r"titan ?os|titanos", "tv", "Titan OS"),
    Rule("whale_os", r"whaletv|\bzeasn\b", "tv", "Whale TV"),
    Rule("opera_television", r"opera tv|\bomi/", "tv"),
    Rule("hbbtv", r"hbbtv|\bce-html\b", "tv"),
    Rule(
        "android_tv",
        r"android ?tv|google ?tv|\batv\b|android.*\btv\b|\bleanback\b",
        "tv",
        "Android TV",
    ),
    Rule(
        "any_television",
        r"smart-?_?tv|internet ?tv|\binettv\b|\bdtv\b|\bgoogletv\b|connected ?tv",
        "tv",
    ),
    # Speakers with and without a screen.
    Rule(
        "echo",
        r"\baeo[a-z]{2,}\b|alexamediaplayer|\becho (?:dot|show|studio)",
        "speaker",
        "Fire OS",
    ),
    Rule(
        "home_speaker", r"google ?home|googlehome|nest ?(?:hub|audio|mini)|homepod|sonos", "speaker"
    ),
    # Tablets before phones, both before computers.
    Rule("ipad", r"\bipad\b", "tablet", "iOS"),
    Rule("fire_tablet", r"\bkf[a-z]{2,6}\b|kindle|silk-accelerated", "tablet", "Fire OS"),
    Rule(
        "named_tablet",
        r"\btablet\b|galaxy tab|nexus (?:7|9|10)\b|\bsm-[tx]\d{3}|lenovo tb|mediapad|matepad|\bplaybook\b|surface go",
        "tablet",
    ),
    Rule("iphone", r"\biphone\b|\bipod\b", "phone", "iOS"),
    Rule("windows_phone", r"windows phone|iemobile", "phone"),
    Rule(
        "android_phone", r"android.*\bmobile\b|\bmobile\b.*android|okhttp.*android|dalvik", "phone"
    ),
    Rule("native_ios", r"cfnetwork/.*darwin/|applecoremedia.*iphone|\bios \d", "phone", "iOS"),
    Rule("android_tablet", r"android", "tablet"),
    Rule(
        "other_phone", r"\bmobile\b|blackberry|\bbb10\b|kaios|symbian|opera mini|sailfish", "phone"
    ),
    Rule("chromebook", r"\bcros\b", "desktop"),
    Rule("windows", r"windows nt|win64|\bwow64\b", "desktop"),
    Rule("mac", r"macintosh|mac os x|mac_powerpc", "desktop"),
    Rule(
        "linux_desktop", r"x11;|linux x86_64|linux i\d86|wayland|\bfreebsd\b|\bopenbsd\b", "desktop"
    ),
    # Players without a browser. They are named so that no later rule takes them for a program.
    Rule(
        "native_player",
        r"^(?:exoplayer|androidx-?media3|okhttp/|ffmpeg|lavf/|libvlc|vlc/|mpv|libmpv|kodi/|gstreamer|stagefright|applecoremedia|quicktime|nsplayer|windows-media-player)",
        "unknown",
    ),
    # Programs last. Whether one is a robot or a relay is for `put_bot` to say.
    Rule(
        PROGRAM,
        r"^(?:curl|libcurl|wget|python|aiohttp|httpx|go-http-client|java/|libwww|axios|node(?:-fetch)?(?:/|$)|undici|got \(|ruby|faraday|perl|php|guzzlehttp|apache-httpclient|reactor-netty|httpie|postman|insomnia|k6/|grafana ?k6|apachebench|wrk|hey/|vegeta|locust|reqwest)",
        "unknown",
    ),
)
