import pytest

from playhead.collect.device import CLASSES, rule_for, seen_in
from playhead.collect.device_rules import RULES, Rule

ANDROID = "Mozilla/5.0 (Linux; Android {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0 {}"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0 Safari/537.36"

EXAMPLES = {
    "search_bot": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "named_bot": "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    "link_preview": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "headless_browser": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0",
    "monitor": "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    "fetcher": "Mediapartners-Google",
    "playstation_vita": "Mozilla/5.0 (PlayStation Vita 3.73) AppleWebKit/537.73 Silk/3.2",
    "playstation": "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 Safari/605",
    "xbox": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) Edge/44.18363.8131",
    "nintendo": "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/606.4 NF/6.0",
    "fire_tv_television": ANDROID.format("7.1.2; AFTEDCL", "Safari/537.36"),
    "fire_tv": ANDROID.format("9; AFTKA Build/PS7633", "Mobile Safari/537.36"),
    "roku_television": "Roku TV/DVP-12.0 (12.0.0.4182-AE)",
    "roku": "Roku/DVP-12.0 (12.0.0.4182-AE)",
    "apple_tv": "AppleCoreMedia/1.0.0.20K71 (Apple TV; U; CPU OS 16_1 like Mac OS X; en_us)",
    "chromecast": f"Mozilla/5.0 (X11; Linux armv7l) {WEBKIT} CrKey/1.54.250320",
    "nvidia_shield": ANDROID.format("11; SHIELD Android TV", "Safari/537.36"),
    "xiaomi_box": ANDROID.format("9; MIBOX4 Build/PI", "Safari/537.36"),
    "google_tv_streamer": ANDROID.format("14; Google TV Streamer", "Safari/537.36"),
    "comcast": "Mozilla/5.0 (Linux) AppleWebKit/605.1.15 WPE Comcast/1.0 XiOne",
    "rdk": "Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/605.1 WPE/1.0 RDK/2.0",
    "operator_box": "Mozilla/5.0 (QtEmbedded; U; Linux; C) AppleWebKit/533.3 MAG250 stbapp",
    "samsung_tizen": "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) 76.0.3809.146/6.0 TV Safari/537.36",
    "samsung_maple": "Mozilla/5.0 (SMART-TV; X11; Linux i686) AppleWebKit/535 Maple/5.1.00280",
    "lg_webos": f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} WebAppManager",
    "lg_netcast": "Mozilla/5.0 (Unknown; Linux armv7l) AppleWebKit/537.1 LG Browser/6.00 NetCast.TV",
    "sony_bravia": ANDROID.format("10; BRAVIA 4K UR2 Build/PTT1", "Safari/537.36"),
    "philips_television": "Mozilla/5.0 (Linux armv7l) Opera/36.0 NETTV/6.0.2 PhilipsTV/6.0 (2018)",
    "panasonic_viera": "Mozilla/5.0 (X11; FreeBSD; U; Viera; de-DE) AppleWebKit/537.11 Viera/3.10",
    "hisense_vidaa": f"Mozilla/5.0 (Linux; Android 9) {WEBKIT} VIDAA/6.0 (Hisense;SmartTV)",
    "vizio_smartcast": "Mozilla/5.0 (X11; Linux armv7l) Chrome/84.0 VIZIO SmartCast(Conjure/MTKE)",
    "sharp_aquos": "Mozilla/5.0 (DTV) AppleWebKit/531.2 AQUOSBrowser/2.0 (US00DTV;V;0001;0001)",
    "toshiba_television": "Mozilla/5.0 (Linux armv7l) ToshibaTP/2.1.0 (+VIDEO_MP4) TSBNetTV",
    "tcl_television": ANDROID.format("11; TCL Smart TV Pro", "Safari/537.36"),
    "xiaomi_television": ANDROID.format("9; MiTV-AXSO0 Build/PI", "Safari/537.36"),
    "titan_os": "Mozilla/5.0 (Linux; U) Chrome/108.0 TitanOS/3.0",
    "whale_os": "Mozilla/5.0 (Linux; U; Linux) Chrome/90.0 WhaleTV/2.0",
    "opera_television": "Opera/9.80 (Linux armv7l) Presto/2.12.407 OMI/4.2 Model/X",
    "hbbtv": "Mozilla/5.0 (Linux) HbbTV/1.2.1 (;Acme;X1;1.0;;) CE-HTML/1.0",
    "android_tv": ANDROID.format("12; Android TV Build/ST", "Safari/537.36"),
    "any_television": "Mozilla/5.0 (SmartTV; Linux) AppleWebKit/538.1 Safari/538.1",
    "echo": ANDROID.format("7.1.2; AEOKN Build/NS6", "Safari/537.36"),
    "home_speaker": "Mozilla/5.0 (Linux) Chrome/99.0 GoogleHome/1.56",
    "ipad": "Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "fire_tablet": ANDROID.format("9; KFMAWI", "Safari/537.36"),
    "named_tablet": ANDROID.format("13; SM-X700", "Safari/537.36"),
    "iphone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148",
    "windows_phone": "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Lumia 950) Edge/15.15063",
    "android_phone": ANDROID.format("13; Pixel 7", "Mobile Safari/537.36"),
    "native_ios": "Tube/3.1 CFNetwork/1410.0.3 Darwin/22.6.0",
    "android_tablet": ANDROID.format("12; T1101", "Safari/537.36"),
    "other_phone": "Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
    "chromebook": "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/120.0",
    "windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0",
    "mac": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.0",
    "linux_desktop": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "native_player": "ExoPlayerLib/2.18.1",
    "program": "curl/8.5.0",
}

ROBOTS = (
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT.replace('Chrome', 'HeadlessChrome')}",
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 PhantomJS/2.1.1 Safari/538.1",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Playwright/1.48",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Puppeteer",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Chrome-Lighthouse",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} PingdomPageSpeed/1.0 (pingbot/2.0)",
    f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} StatusCake",
    "Site24x7",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} DatadogSynthetics",
    "Datadog/Synthetics",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} PTST/240101",
    "ELB-HealthChecker/2.0",
    "kube-probe/1.29",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Twitterbot/1.0",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.23.20.0 A",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0)",
    f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} BingPreview/1.0b",
    "Mozilla/5.0 (compatible; GPTBot/1.1; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; Bytespider)",
    "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) (compatible; Googlebot/2.1)",
)
PROGRAMS = (
    "curl/8.5.0", "Wget/1.21.4", "python-requests/2.32.3", "Python/3.11 aiohttp/3.9.5",
    "python-httpx/0.28", "Python-urllib/3.11", "Go-http-client/2.0", "Java/17.0.2", "axios/1.7.2",
    "node-fetch/1.0", "node", "k6/0.49.0 (https://k6.io/)", "Apache-HttpClient/4.5 (Java/11)",
    "PostmanRuntime/7.37.3", "libwww-perl/6.72", "GuzzleHttp/7", "reqwest/0.12",
)  # fmt: skip
PLAYERS = (
    "ExoPlayerLib/2.18.1", "Tube/3.1 (Linux;Android 13) ExoPlayerLib/2.18.1",
    "Tube/4.0 (Linux; Android 14) AndroidXMedia3/1.3.1", "okhttp/4.12.0",
    "Dalvik/2.1.0 (Linux; U; Android 12; SM-G991B Build/SP1A)", "stagefright/1.2 (Linux;Android 9)",
    "AppleCoreMedia/1.0.0.20G75 (iPhone; U; CPU OS 16_6 like Mac OS X; en_us)",
    "AppleCoreMedia/1.0.0.21L227 (Apple TV; U; CPU OS 17_0 like Mac OS X; de_de)",
    "Tube/3.1 CFNetwork/1410.0.3 Darwin/22.6.0", "Roku/DVP-12.0 (12.0.0.4182-AE)",
    "VLC/3.0.20 LibVLC/3.0.20", "GStreamer souphttpsrc 1.22.0 libsoup/3.4.2", "Lavf/60.3.100",
    "mpv 0.37.0", "libmpv", "Kodi/20.2 (Linux; Android 11) Android/11.0.0", "Dart/3.3 (dart:io)",
    "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/94.0 Safari/537.36",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) 76.0.3809.146/6.0 TV Safari/537.36",
    f"Mozilla/5.0 (X11; Linux armv7l) {WEBKIT} CrKey/1.54.250320",
    "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 Safari/605",
    "Mozilla/5.0 (Linux) HbbTV/1.2.1 (;Acme;X1;1.0;;) CE-HTML/1.0",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT}", "TiviMate/4.7.0", "IPTVSmartersPlayer",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/430.0]",
    "Mozilla/5.0 (Linux; Android 13; wv) Chrome/120.0 Mobile Safari/537.36 Instagram 300.0",
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_is_the_first_to_fit_its_example(rule: Rule) -> None:
    index = rule_for(EXAMPLES[rule.name])
    assert index is not None
    assert RULES[index].name == rule.name


def test_every_class_of_the_rules_is_a_known_one() -> None:
    assert {rule.device_class for rule in RULES} <= set(CLASSES)
    assert len({rule.name for rule in RULES}) == len(RULES) == len(EXAMPLES)


@pytest.mark.parametrize(
    ("name", "device_class", "os"),
    [
        ("fire_tv", "set_top", "Fire OS"),
        ("samsung_tizen", "tv", "Tizen"),
        ("lg_webos", "tv", "webOS"),
        ("sony_bravia", "tv", "Android"),
        ("apple_tv", "set_top", "tvOS"),
        ("xbox", "console", "Xbox"),
        ("iphone", "phone", "iOS"),
        ("mac", "desktop", "macOS"),
        ("windows", "desktop", "Windows"),
        ("android_phone", "phone", "Android"),
    ],
)
def test_system_and_class_are_named_one_way(name: str, device_class: str, os: str) -> None:
    facts = seen_in(EXAMPLES[name].encode())
    assert (facts.device_class, facts.os) == (device_class, os)


@pytest.mark.parametrize("text", ["", "x", "\xff\xfe", "((((", "A" * 600])
def test_an_unknown_user_agent_is_unknown_not_guessed(text: str) -> None:
    facts = seen_in(text.encode("latin-1"))
    assert facts.device_class == "unknown"
    assert not facts.bot


@pytest.mark.parametrize("text", ROBOTS)
def test_robots_monitors_and_previews_are_bots(text: str) -> None:
    facts = seen_in(text.encode())
    assert (facts.device_class, facts.bot) == ("bot", True)


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_program_is_no_bot_by_its_name_alone(text: str) -> None:
    facts = seen_in(text.encode())
    assert (facts.device_class, facts.bot, facts.program) == ("unknown", False, True)


@pytest.mark.parametrize("text", PLAYERS)
def test_a_real_player_is_neither_bot_nor_program(text: str) -> None:
    facts = seen_in(text.encode())
    assert (facts.bot, facts.program) == (False, False)


def test_a_phone_called_cubot_is_a_phone() -> None:
    facts = seen_in(ANDROID.format("10; CUBOT NOTE 20", "Mobile Safari/537.36").encode())
    assert (facts.device_class, facts.bot) == ("phone", False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rules_are_written_in_small_letters(rule: Rule) -> None:
    assert not any(c.isupper() for c in rule.pattern.replace("\\B", "").replace("\\S", ""))
