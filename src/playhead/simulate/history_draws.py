"""The random draws behind a made-up view, as one inner SELECT over `numbers`.

Each draw is a hash of the row's number under its own name; later draws depend on earlier ones, so
that a bad network shows in startup, stalls and bitrate alike. Times are ms.
"""

import re
from collections.abc import Sequence
from itertools import accumulate

from playhead.simulate.abr import LADDER
from playhead.simulate.audience import CELLULAR, COUNTRIES, DEVICES
from playhead.simulate.catalogue import LIVE_SHARE, Shelf, Title
from playhead.simulate.network import ACCESS, CDNS

DAY_MS = 86_400_000
HOURLY: tuple[float, ...] = (
    3.4, 2.6, 2.0, 1.6, 1.4, 1.6, 2.2, 3.0, 3.4, 3.6, 3.8, 4.0,
    4.4, 4.4, 4.2, 4.3, 4.7, 5.5, 6.8, 8.2, 9.0, 8.6, 6.9, 4.9,
)  # fmt: skip
"""Audience of each UTC hour."""
_REGIONS_PER_COUNTRY = 4
_NETWORKS_PER_COUNTRY = 3
_WORD = re.compile(r"[a-z_]+")
_ACCESS = tuple(ACCESS.values())


def _hash(name: str) -> str:
    return f"cityHash64(number, h_seed, '{name}')"


def _uniform(name: str) -> str:
    """Return a draw in (0, 1)."""
    return f"(({_hash(name)} % 1000003 + 0.5) / 1000003)"


def _normal(name: str) -> str:
    return f"(sqrt(-2 * log({_uniform(name)})) * cos(6.283185307179586 * {_uniform(name + ' 2')}))"


def _pick(draw: str, weights: Sequence[float]) -> str:
    """Return a 1-based index drawn by weight."""
    total = sum(weights)
    edges = [edge / total for edge in accumulate(weights)][:-1]
    if not edges:
        return "1"
    arms = ", ".join(f"{draw} < {edge:.6f}, {index}" for index, edge in enumerate(edges, 1))
    return f"multiIf({arms}, {len(weights)})"


def quoted(text: str) -> str:
    """Return a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def of_index(values: Sequence[object], index: str) -> str:
    """Return the element of a constant list at a 1-based index expression."""
    literals = ", ".join(quoted(v) if isinstance(v, str) else str(v) for v in values)
    return f"[{literals}][{index}]"


def titles(seed: int) -> list[Title]:
    """Return the titles, most popular first, live ones last."""
    shelf = Shelf(seed)
    return [*shelf.vod, *shelf.live]


def _access_pick() -> str:
    """Return the index of the access, by country and by whether the device takes a SIM card."""
    arms: list[str] = []
    for wired in (0, 1):
        for index, country in enumerate(COUNTRIES, 1):
            weights = dict(country.access)
            shares = [
                0.0 if wired and access.name in CELLULAR else weights.get(access.name, 0.0)
                for access in _ACCESS
            ]
            arms.append(f"wired = {wired} AND ci = {index}, {_pick('u_access', shares)}")
    return f"multiIf({', '.join(arms[:-1])}, {arms[-1].split(', ', 1)[1]})"


def _cdn_pick() -> str:
    arms = [
        f"ci = {index}, {_pick('u_cdn', [cdn.reach[country.part][0] for cdn in CDNS])}"
        for index, country in enumerate(COUNTRIES, 1)
    ]
    return f"multiIf({', '.join(arms)}, 1)"


def _by_cdn_and_country(column: int) -> str:
    values = [cdn.reach[country.part][column] for cdn in CDNS for country in COUNTRIES]
    return of_index(values, f"(di_cdn - 1) * {len(COUNTRIES)} + ci")


def _who() -> list[tuple[str, str]]:
    regions = [
        country.regions[n % len(country.regions)]
        for country in COUNTRIES
        for n in range(_REGIONS_PER_COUNTRY)
    ]
    networks = [
        country.networks[n % len(country.networks)][0]
        for country in COUNTRIES
        for n in range(_NETWORKS_PER_COUNTRY)
    ]
    return [
        ("ci", _pick(_uniform("country"), [country.weight for country in COUNTRIES])),
        ("dev", _pick(_uniform("device"), [device.weight for device in DEVICES])),
        ("wired", of_index([int(device.wired) for device in DEVICES], "dev")),
        ("u_access", _uniform("access")),
        ("ai", _access_pick()),
        ("u_cdn", _uniform("cdn")),
        ("di_cdn", _cdn_pick()),
        ("d_region", of_index(regions, f"(ci - 1) * 4 + 1 + {_hash('region')} % 4")),
        ("d_asn", of_index(networks, f"(ci - 1) * 3 + {_pick(_uniform('asn'), (5, 3, 2))}")),
    ]


def _what(seed: int) -> list[tuple[str, str]]:
    shelf = titles(seed)
    vod = sum(not title.live for title in shelf)
    live = len(shelf) - vod
    zipf = "toUInt32(floor(exp({draw} * log({count} + 0.999))))"
    return [
        ("is_live", f"{_uniform('live')} < {LIVE_SHARE}"),
        ("ti", (f"if(is_live, {vod} + {zipf.format(draw=_uniform('title'), count=live)}, "
               f"{zipf.format(draw=_uniform('title'), count=vod)})")),
        ("title_ms", of_index([title.duration_s * 1_000 for title in shelf], "ti")),
        ("ads", of_index([title.preroll_ads for title in shelf], "ti")),
        ("fps", of_index([title.fps for title in shelf], "ti")),
        ("top_height", "least(" + of_index([title.top_height for title in shelf], "ti") + ", "
                       + of_index([device.top_height for device in DEVICES], "dev") + ")"),
    ]  # fmt: skip


def _network() -> list[tuple[str, str]]:
    rungs = [rung.bitrate_kbps for rung in LADDER]
    heights = [rung.height for rung in LADDER]
    arms = ", ".join(
        f"rate * 0.55 >= {kbps} AND top_height >= {height}, {index}"
        for index, (kbps, height) in reversed(list(enumerate(zip(rungs, heights, strict=True), 1)))
    )
    medians = [access.median_kbps for access in _ACCESS]
    return [
        ("rate", (f"{of_index(medians, 'ai')} * exp({of_index([a.spread for a in _ACCESS], 'ai')}"
                 f" * {_normal('rate')}) * {_by_cdn_and_country(1)}")),
        ("latency", f"{_by_cdn_and_country(2)} + {of_index([a.rtt_ms for a in _ACCESS], 'ai')}"),
        ("ri", f"multiIf({arms}, 1)"),
        ("ri_low", "least(ri, 3)"),
        ("error_rate", of_index([cdn.segment_error_rate for cdn in CDNS], "di_cdn")),
    ]  # fmt: skip


def _course() -> list[tuple[str, str]]:
    """Return how the view goes: startup, outcome, lengths of everything in whole ms."""
    starts = of_index([device.start_ms for device in DEVICES], "dev")
    low_kbps = of_index([rung.bitrate_kbps for rung in LADDER], "ri_low")
    return [
        ("wait", (f"toInt64(({starts} + 8 * latency + 5000 * {low_kbps} / rate)"
                 f" * exp(0.4 * {_normal('startup')})) + 60")),
        ("patience", f"toInt64(2000 - 14000 * log({_uniform('patience')}))"),
        ("u_fail", _uniform("fail")),
        ("is_business", "u_fail < 0.006"),
        ("is_refused", "u_fail < 0.006 + 3 * error_rate"),
        ("is_left", "NOT is_refused AND wait > patience"),
        ("is_started", "NOT is_refused AND NOT is_left"),
        ("starting", "if(is_left, patience, wait)"),
        ("ad", f"if(is_started AND ads > 0, toInt64(15000), 0) * ({_uniform('ad')} < 0.98)"),
        ("intent", (f"if({_uniform('look')} < 0.22, 3000 - 25000 * log({_uniform('intent')}),"
                   f" 5000 + if(title_ms = 0, 900000, least(900000, title_ms * 0.9))"
                   f" * exp(0.9 * {_normal('intent')}))")),
        ("playing", ("if(is_started, toInt64(least(intent, if(title_ms = 0, 5400000, title_ms),"
                    " 5400000)), 0)")),
        ("reaches_end", "is_started AND title_ms > 0 AND playing = title_ms"),
        ("trouble", "least(0.6, 0.02 + 8 * error_rate + 800 / rate) * (1 + playing / 1800000)"),
        ("u_stall", _uniform("stall")),
        ("stalls", ("if(playing < 12000, 0, toInt64((u_stall < trouble) + (u_stall < trouble / 2)"
                   " + (u_stall < trouble / 4) + (u_stall < trouble / 10)))")),
        ("stall_each", f"toInt64(250 + 3000 * exp(0.9 * {_normal('stall length')}))"),
        ("stalled", "stalls * stall_each"),
        ("low", "if(ri_low < ri AND playing > 24000, toInt64(8000), 0)"),
        ("seek", (f"if(low > 0 AND NOT is_live AND playing + 40000 < title_ms AND {_uniform('seek')} < 0.2,"
                 f" toInt64(300 + 6 * latency + 3000 * {_uniform('seek length')}), 0)")),
        ("jump", "if(seek > 0, 30000, 0)"),
        ("pause", (f"if(playing > 30000 AND NOT reaches_end AND {_uniform('pause')} < 0.15,"
                  f" toInt64(900 - 30000 * log({_uniform('pause length')})), 0)")),
        ("rest", "playing - low"),
        ("is_broken", f"is_started AND NOT reaches_end AND {_uniform('break')} < 0.002 + error_rate"),
        ("is_clean", f"NOT is_started OR reaches_end OR is_broken OR {_uniform('clean')} < 0.9"),
        ("lasted", "starting + ad + playing + stalled + seek + pause"),
    ]  # fmt: skip


def _intervals() -> list[tuple[str, str]]:
    """Return the arrays: state, length, content moved and rendition of each interval."""
    part = (
        "arrayConcat([{0}], if(ad > 0, [{1}], []), if(low > 0, [{2}], []),"
        " if(seek > 0, [{3}], []),"
        " arrayMap(i -> {4}, range(if(is_started, toUInt32(2 * stalls + 1), 0))),"
        " if(pause > 0, [{5}], []))"
    )
    piece = "intDiv(rest, stalls + 1) + if(i = 2 * stalls, rest % (stalls + 1), 0)"
    return [
        ("a_state", part.format("'starting'", "'ad'", "'playing'", "'seeking'",
                                "if(i % 2 = 0, 'playing', 'rebuffering')", "'paused'")),
        ("a_ms", part.format("starting", "ad", "low", "seek",
                             f"if(i % 2 = 0, {piece}, stall_each)", "pause")),
        ("a_moved", part.format("toInt64(0)", "toInt64(0)", "low", "toInt64(jump)",
                                f"if(i % 2 = 0, {piece}, 0)", "toInt64(0)")),
        ("a_rung", part.format("0", "0", "toInt64(ri_low)", "toInt64(ri_low)", "toInt64(ri)",
                               "toInt64(ri)")),
        ("a_end", "arrayCumSum(a_ms)"),
        ("a_at", "arrayCumSum(a_moved)"),
    ]  # fmt: skip


def _began(day_ms: int, span_ms: int, day_rows: int) -> list[tuple[str, str]]:
    """Return the start of each view, later numbers later: rows in the table's order need no sort."""
    first = ("u_day", f"(number + {_uniform('begin')}) / {day_rows}")
    if span_ms < DAY_MS:
        return [first, ("began", f"toInt64({day_ms}) + toInt64(u_day * {span_ms})")]
    total = sum(HOURLY)
    low = [edge / total for edge in accumulate(HOURLY, initial=0)][:-1]
    share = [weight / total for weight in HOURLY]
    return [
        first,
        ("hour", _pick("u_day", HOURLY)),
        ("began", (f"toInt64({day_ms}) + (hour - 1) * 3600000 + toInt64(least(3599999, greatest(0,"
                  f" 3600000 * (u_day - {of_index(low, 'hour')}) / {of_index(share, 'hour')})))")),
    ]  # fmt: skip


def draws_sql(
    day_ms: int,
    seed: int,
    totals: Sequence[tuple[str, str]],
    *,
    span_ms: int,
    rows: tuple[int, int],
    day_rows: int,
) -> str:  # fmt: skip
    """Return the SELECT of every draw and of `totals`, for (first, count) rows."""
    first = [
        *_began(day_ms, span_ms, day_rows),
        ("h_id", _hash("id")),
        ("h_viewer", f"{_hash('viewer')} % 400000"),
    ]
    salt = (seed * 1_000_003 + day_ms // DAY_MS) % 2**63
    sql = f"SELECT number, toUInt64({salt}) AS h_seed FROM numbers({rows[0]}, {rows[1]})"  # noqa: S608 (numbers only)
    groups = (first, _who(), _what(seed), _network(), _course(), _intervals(), totals)
    return layered(sql, [column for group in groups for column in group])


def layered(sql: str, columns: Sequence[tuple[str, str]]) -> str:
    """Return a query with the columns added, a layer deeper where one builds on another.

    Within a layer the engine writes every name out in full, so a single layer of all of them
    would be a statement of gigabytes inside the engine.
    """
    depth: dict[str, int] = {}
    layers: dict[int, list[tuple[str, str]]] = {}
    for name, expression in columns:
        words = set(_WORD.findall(expression))
        depth[name] = 1 + max((depth[word] for word in words & depth.keys()), default=0)
        layers.setdefault(depth[name], []).append((name, expression))
    for level in sorted(layers):
        sql = _added(sql, layers[level])
    return sql


def _added(sql: str, layer: Sequence[tuple[str, str]]) -> str:
    columns = ",\n  ".join(f"{expression} AS {name}" for name, expression in layer)
    return f"SELECT *,\n  {columns}\nFROM ({sql})"
