from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect import steps
from playhead.collect.address import Addresses
from playhead.collect.behaviour import Behaviour
from playhead.collect.device import said_in
from playhead.collect.flood import Flood
from playhead.collect.geography import Geography
from playhead.collect.internal import Internal
from playhead.collect.origins import Origins
from playhead.collect.rate import RateLimit
from playhead.collect.request import Request
from playhead.collect.viewer_ids import ViewerIds
from playhead.config import Collect, Limits, Privacy
from playhead.errors import Forbidden, RateLimited, Unauthenticated
from playhead.model.event import Device, Event

NOW = 1_700_000_000_000
DAY = 86_400_000
WEEK = 7 * DAY


Make = Callable[..., steps.Doorway]


@pytest.fixture
def doorway(tmp_path: Path) -> Iterator[Make]:
    made: list[Tokens] = []

    def make(collect: Collect | None = None, limits: Limits | None = None) -> steps.Doorway:
        collect = collect or Collect()
        clock = ManualClock(NOW)
        made.append(Tokens(tmp_path / "access.db", clock))
        return steps.Doorway(
            config=collect,
            tokens=made[-1],
            addresses=Addresses(collect.trusted_proxies, collect.address_header),
            geography=Geography(collect, clock),
            origins=Origins(collect.allowed_origins),
            rate=RateLimit(collect, limits or Limits(), clock),
            flood=Flood(collect, limits or Limits(), clock),
            salt=steps.Salt(),
            behaviour=Behaviour(collect.bot_views_per_minute),
            internal=Internal(collect),
            viewer_ids=ViewerIds(Privacy(), steps.Salt()),
        )

    yield make
    for tokens in made:
        tokens.close()


def request(*events: Event, secret: str = "", peer: str = "127.0.0.1", **headers: str) -> Request:
    named = {k.replace("_", "-").encode(): v.encode() for k, v in headers.items()}
    return Request(
        headers=named,
        peer=peer,
        forwarded=[v for k, v in named.items() if k == b"x-forwarded-for"],
        secret=secret,
        received_at=NOW,
        events=list(events),
    )


def event(
    age_ms: int = 0, *, sent_age_ms: int | None = None, session_id: str | None = "s"
) -> Event:
    sent_at = None if sent_age_ms is None else NOW - sent_age_ms
    return Event(event_type="PLAY", timestamp=NOW - age_ms, sent_at=sent_at, session_id=session_id)


def tokens_of(door: steps.Doorway) -> Tokens:
    assert isinstance(door.tokens, Tokens)
    return door.tokens


def reasons(made: Request) -> list[str]:
    return [one.code for one in made.refused]


def test_the_steps_are_named_for_what_they_do() -> None:
    names = [step.__name__ for step in (*steps.ADMISSION, *steps.JOURNEY)]
    assert all(name.startswith(("put_", "drop_", "require_")) for name in names)
    assert len(names) == len(set(names))


def test_an_origin_not_allowed_is_refused(doorway: Make) -> None:
    door = doorway(Collect(allowed_origins=("https://tv.example",)))
    steps.require_origin(request(origin="https://tv.example"), door)
    steps.require_origin(request(), door)
    with pytest.raises(Forbidden):
        steps.require_origin(request(origin="https://other.example"), door)


def test_without_a_key_the_default_property_counts(doorway: Make) -> None:
    made = request()
    steps.put_property(made, doorway(Collect(default_property="main")))
    assert made.property == "main"


def test_a_write_key_gives_its_property(doorway: Make) -> None:
    door = doorway()
    _, secret = tokens_of(door).create("write", "page", "kids")
    made = request(secret=secret)
    steps.put_property(made, door)
    assert made.property == "kids"


def test_keys_that_may_not_send(doorway: Make) -> None:
    door = doorway()
    _, reading = tokens_of(door).create("read")
    with pytest.raises(Forbidden):
        steps.put_property(request(secret=reading), door)
    with pytest.raises(Unauthenticated):
        steps.put_property(request(secret="ph_write_wrong"), door)  # noqa: S106


def test_a_required_key_is_required(doorway: Make) -> None:
    with pytest.raises(Unauthenticated):
        steps.put_property(request(), doorway(Collect(require_key=True)))


def test_the_address_behind_a_trusted_proxy_is_the_clients(doorway: Make) -> None:
    made = request(x_forwarded_for="9.9.9.9, 198.51.100.7")
    steps.put_address(made, doorway())
    assert (made.address, made.trusted) == ("198.51.100.7", True)


def test_a_stranger_cannot_claim_an_address(doorway: Make) -> None:
    made = request(peer="203.0.113.5", x_forwarded_for="1.1.1.1", cf_ipcountry="SE")
    door = doorway()
    steps.put_address(made, door)
    steps.put_geography(made, door)
    assert (made.address, made.place.country) == ("203.0.113.5", "")


def test_the_rate_limit_counts_addresses(doorway: Make) -> None:
    door = doorway(Collect(requests_per_minute_per_address=2))
    made = request()
    made.address = "198.51.100.7"
    steps.require_rate(made, door)
    steps.require_rate(made, door)
    with pytest.raises(RateLimited) as caught:
        steps.require_rate(made, door)
    assert caught.value.retry_after_s >= 1


def test_the_country_of_a_trusted_proxy_counts(doorway: Make) -> None:
    made = request(cf_ipcountry="se")
    door = doorway()
    steps.put_address(made, door)
    steps.put_geography(made, door)
    assert made.place.country == "SE"


def test_the_client_says_its_device_first(doorway: Make) -> None:
    said = Event(event_type="PLAY", timestamp=NOW, device=Device(category="smart_tv", os="Tizen"))
    made = request(event(), said, user_agent="curl/8.0")
    steps.put_device(made, doorway())
    assert (made.device.device_class, made.device.os) == ("tv", "Tizen")


def test_a_bot_is_marked_not_dropped(doorway: Make) -> None:
    made = request(event(), user_agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
    for step in steps.JOURNEY:
        step(made, doorway())
    assert made.bot
    assert made.refused == []


def marked(door: steps.Doorway, *events: Event, secret: str = "", **headers: str) -> Request:
    made = request(*events, secret=secret, **headers)
    for step in (steps.put_property, steps.put_address, *steps.JOURNEY):
        step(made, door)
    return made


@pytest.mark.parametrize(
    ("forwarded", "agent", "bot"),
    [
        ("198.51.100.7", "curl/8.5.0", True),
        ("198.51.100.7", "okhttp/4.12.0", False),
        ("127.0.0.1", "curl/8.5.0", False),
        ("10.0.0.9", "curl/8.5.0", False),
        ("127.0.0.1", "Googlebot/2.1", True),
    ],
)
def test_a_program_from_elsewhere_is_a_bot(
    doorway: Make, forwarded: str, agent: str, *, bot: bool
) -> None:
    door = doorway(Collect(trusted_proxies=("127.0.0.1", "10.0.0.0/8")))
    made = marked(door, event(), x_forwarded_for=forwarded, user_agent=agent)
    assert made.bot is bot


def test_a_program_with_a_key_is_somebodys_relay(doorway: Make) -> None:
    door = doorway()
    _, secret = tokens_of(door).create("write", "relay", "main")
    address = {"x_forwarded_for": "198.51.100.7", "user_agent": "Go-http-client/2.0"}
    assert not marked(door, event(), secret=secret, **address).bot


def test_a_batch_of_several_viewers_is_not_judged_by_one_of_them(doorway: Make) -> None:
    said = Event(event_type="PLAY", timestamp=NOW, session_id="t", device=Device(category="bot"))
    door = doorway()
    assert marked(door, said).bot
    assert not marked(door, event(), said, x_forwarded_for="198.51.100.7", user_agent="curl/8").bot


def begin_views(door: steps.Doorway, count: int, **headers: str) -> list[bool]:
    views = (
        Event(event_type="PLAY", timestamp=NOW, view_id=str(n), seq=0, viewer_id=str(n))
        for n in range(count)
    )
    return [marked(door, view, **headers).bot for view in views]


def test_an_address_that_begins_too_many_views_is_a_bot(doorway: Make) -> None:
    door = doorway(Collect(bot_views_per_minute=5))
    marks = begin_views(door, 7, x_forwarded_for="198.51.100.7")
    assert marks == [False] * 5 + [True] * 2


@pytest.mark.parametrize("forwarded", ["", "127.0.0.9", "10.0.0.9"])
def test_this_machine_and_proxies_are_never_judged(doorway: Make, forwarded: str) -> None:
    door = doorway(Collect(bot_views_per_minute=5, trusted_proxies=("127.0.0.1", "10.0.0.0/8")))
    headers = {"x_forwarded_for": forwarded} if forwarded else {}
    assert not any(begin_views(door, 50, **headers))


def test_a_server_that_sends_for_many_is_never_judged(doorway: Make) -> None:
    door = doorway(Collect(bot_views_per_minute=5))
    for number in range(50):
        pair = [
            Event(
                event_type="PLAY", timestamp=NOW, view_id=f"{number}{x}", viewer_id=f"{number}{x}"
            )
            for x in "ab"
        ]
        assert not marked(door, *pair, x_forwarded_for="198.51.100.7").bot


@pytest.mark.parametrize(
    ("headers", "internal"),
    [
        ({"x_forwarded_for": "192.0.2.9"}, True),
        ({"x_forwarded_for": "198.51.100.7"}, False),
        ({"origin": "http://localhost:3000"}, True),
        ({"origin": "https://tv.example"}, False),
    ],
)
def test_staff_are_marked_by_address_or_page(
    doorway: Make, headers: dict[str, str], *, internal: bool
) -> None:
    door = doorway(Collect(internal_networks=("192.0.2.0/24",), internal_hosts=("localhost",)))
    made = marked(door, event(), **headers)
    assert (made.internal, made.bot) == (internal, False)


def test_an_id_is_made_only_for_those_who_name_nobody(doorway: Make) -> None:
    door = doorway()
    named, nameless = request(event()), request(event(), event(session_id=None))
    for made in (named, nameless):
        made.address = "198.51.100.7"
        steps.put_anonymous(made, door)
    assert named.anonymous_id == ""
    assert len(nameless.anonymous_id) == 16
    assert "198" not in nameless.anonymous_id


@pytest.mark.parametrize(
    ("source", "address", "viewers", "has_id"),
    [
        ("telemetry", "198.51.100.7", (None, None), True),
        ("telemetry", "198.51.100.7", (None, "u"), False),
        ("telemetry", "127.0.0.1", (None,), False),
        ("cmcd", "198.51.100.7", (None,), False),
    ],
)
def test_a_player_without_cookies_is_counted_by_a_daily_id(
    doorway: Make, source: str, address: str, viewers: tuple[str | None, ...], *, has_id: bool
) -> None:
    made = request(*(event() for _ in viewers))
    for one, viewer in zip(made.events, viewers, strict=True):
        assert one is not None
        one.viewer_id = viewer
    made.source, made.address = source, address
    steps.put_anonymous(made, doorway())
    assert bool(made.anonymous_id) is has_id


def test_two_addresses_or_two_browsers_are_two_viewers(doorway: Make) -> None:
    door = doorway()
    ids = set()
    for address, agent in (("198.51.100.7", "a"), ("198.51.100.8", "a"), ("198.51.100.7", "b")):
        made = request(event(session_id=None), user_agent=agent)
        made.address = address
        steps.put_anonymous(made, door)
        ids.add(made.anonymous_id)
    assert len(ids) == 3


def test_the_anonymous_id_changes_with_the_day_and_the_process(doorway: Make) -> None:
    ids = []
    first, second = doorway(), doorway()
    for door, day in ((first, 0), (first, 0), (first, 1), (second, 0)):
        made = request(event(session_id=None))
        made.received_at += day * DAY
        steps.put_anonymous(made, door)
        ids.append(made.anonymous_id)
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (event(WEEK), []),
        (event(WEEK + 1), ["too_old"]),
        (event(-WEEK), []),
        (event(-WEEK - 1), ["too_far_ahead"]),
        (event(60_000, sent_age_ms=0), []),
        (event(-60_000, sent_age_ms=0), []),
        (event(-60_001, sent_age_ms=0), ["too_far_ahead"]),
        (event(WEEK + 1, sent_age_ms=2_000), ["too_old"]),
        (event(30 * DAY, sent_age_ms=30 * DAY), []),
        (event(-30 * DAY, sent_age_ms=-30 * DAY), []),
        (event(30 * DAY, sent_age_ms=22 * DAY), ["too_old"]),
        (event(30 * DAY - 60_001, sent_age_ms=30 * DAY), ["too_far_ahead"]),
    ],
)
def test_what_is_too_old_or_too_far_ahead_is_dropped(
    doorway: Make, made: Event, reason: list[str]
) -> None:
    asked = request(made)
    door = doorway()
    steps.drop_too_old(asked, door)
    steps.drop_too_far_ahead(asked, door)
    assert reasons(asked) == reason
    assert all(one.dropped for one in asked.refused)


def test_a_drop_without_sent_at_says_how_to_mend_it(doorway: Make) -> None:
    made = request(event(8 * DAY))
    steps.drop_too_old(made, doorway())
    assert "sentAt" in made.refused[0].message
    assert made.events == [None]


def test_a_proxy_that_names_nobody_is_not_limited(doorway: Make) -> None:
    door = doorway(Collect(requests_per_minute_per_address=1))
    made = request()
    steps.put_address(made, door)
    for _ in range(5):
        steps.require_rate(made, door)
    behind = request(x_forwarded_for="198.51.100.7")
    steps.put_address(behind, door)
    steps.require_rate(behind, door)
    with pytest.raises(RateLimited):
        steps.require_rate(behind, door)


def test_a_keys_origins_count_in_place_of_the_servers(doorway: Make) -> None:
    door = doorway(Collect(allowed_origins=("https://tv.example",)))
    tokens = tokens_of(door)
    _, secret = tokens.create("write", "page", "kids", ("https://*.kids.example",))
    own = request(secret=secret, origin="https://a.kids.example")
    foreign = request(secret=secret, origin="https://tv.example")
    for made in (own, foreign):
        steps.put_property(made, door)
    steps.require_origin(own, door)
    with pytest.raises(Forbidden, match="with this key"):
        steps.require_origin(foreign, door)


@pytest.mark.parametrize(("kind", "passes"), [("", False), ("write", False), ("admin", True)])
def test_a_token_that_is_in_no_page_is_a_relays(doorway: Make, kind: str, passes: bool) -> None:
    door = doorway(
        limits=Limits(new_views_per_minute_per_address=1, new_views_grace_ms=0),
    )
    secret = tokens_of(door).create(kind)[1] if kind else ""
    made = request(event(session_id="a"), event(session_id="b"), secret=secret, peer="192.0.2.1")
    steps.put_address(made, door)
    steps.put_property(made, door)
    if passes:
        steps.require_known_views(made, door)
    else:
        with pytest.raises(RateLimited):
            steps.require_known_views(made, door)


def test_what_a_client_says_of_its_device_is_remembered_short(doorway: Make) -> None:
    long = Device(category="x" * 100_000, browser="y" * 100_000)
    made = request(Event(event_type="PLAY", timestamp=NOW, device=long))
    steps.put_device(made, doorway())
    assert made.device.browser == "y" * 64
    assert all(len(word or "") <= 64 for word in said_in(made.events))
