"""The dashboard in a browser: what is fetched, how soon it lives, how long a frame takes."""

import asyncio
import json
import statistics
import subprocess
from bisect import bisect_left
from collections import Counter
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, BrowserContext, Route, async_playwright

from bench.lines import Line
from bench.probes import percentile
from e2e.browser import ARGS, CHROMIUM, ROOT
from e2e.dashboard.look import Look
from e2e.dashboard.stock import Stock, play
from e2e.dashboard.tour import stops
from e2e.dashboard.weight import BUDGET_BYTES, BUILT, FIRST, first_load, packed
from support.server import Server

CHARTS: Final = 12
POINTS: Final = 3_600
FRAMES: Final = 300
WARM_UP: Final = 30
TURNS: Final = 2 * FRAMES + WARM_UP
_FRAME: Final = "FireAnimationFrame"
_TASK: Final = "ThreadControllerImpl::RunTask"
OPENINGS: Final = 8
FRAME_MS: Final = 16
DASHBOARD: Final = ROOT / "dashboard"
WORKSHOP: Final = DASHBOARD / "node_modules" / ".bench"
"""Where the page of charts is built: it finds the modules there, and git keeps none of it."""
_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_PAGE: Final = '<!doctype html><body><script type="module" src="./main.js"></script></body>'
_CHARTS: Final = """<script>
  import TimeChart from '../../src/parts/TimeChart.svelte';
  const begin = Math.floor(Date.now() / 1000);
  const noise = (at) => (at * 7) % 13;
  const whole = Array.from({ length: CHARTS }, (_, chart) =>
    Array.from({ length: POINTS + TURNS }, (_, at) => 100 + 60 * Math.sin(at / (30 + chart)) + noise(at)));
  const seconds = Array.from({ length: POINTS + TURNS }, (_, second) => begin + second);
  const at = (turn) => ({
    times: seconds.slice(turn, turn + POINTS),
    charts: whole.map((values) => values.slice(turn, turn + POINTS)),
  });
  let now = $state.raw(at(0));
  export function show(turn) {
    now = at(turn);
  }
</script>
{#each now.charts as line, chart (chart)}
  <div style:width="440px" style:float="left">
    <TimeChart times={now.times} lines={[{ name: 'viewers', values: line }]} label="viewers" format={String} />
  </div>
{/each}
"""
_MAIN: Final = """import { flushSync, mount } from 'svelte';
import '../../src/theme.css';
let drawn = 0;
const clear = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.clearRect = function (...box) {
  drawn += 1;
  clear.apply(this, box);
};
const { default: Charts } = await import('./Charts.svelte');
const charts = mount(Charts, { target: document.body });
const frame = () => new Promise((done) => requestAnimationFrame(done));
let turn = 0;
window.measure = async (frames, every) => {
  drawn = 0;
  for (let number = 0; number < frames; number += 1) {
    await frame();
    if (number % every) continue;
    charts.show((turn += 1));
    flushSync();
  }
  return drawn;
};
"""


def dashboard(folder: Path, *, quick: bool) -> list[Line]:
    """Measure the built dashboard on a server like that of the demo."""
    if not BUILT.exists() or not CHROMIUM.exists():
        return [Line("dashboard", "not measured: make dashboard, and Chromium", "")]
    size = packed(first_load(BUILT, FIRST))
    lines = [
        Line(
            "dashboard: first load (page and Now), gzip",
            f"{size / 1024:.1f} KiB",
            f"≤ {BUDGET_BYTES // 1024} KiB",
        )
    ]
    env = {"PLAYHEAD_PIPES__DEFAULT_PROJECT": "true"}
    with Server(folder / "data", env=env) as server:
        stock = Stock(server)
        server.send(play("watching"))
        return lines + asyncio.run(_in_browser(stock, quick=quick))


async def _in_browser(stock: Stock, *, quick: bool) -> list[Line]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        context = await browser.new_context(viewport={"width": 1400, "height": 1000})
        look = await Look.on(context, stock.server.url, stock.server.token)
        lines = [await _openings(context, look, 3 if quick else OPENINGS)]
        lines.append(await _requests(look, stock))
        await context.close()
        lines += await _frames(browser, 60 if quick else FRAMES)
        await browser.close()
        return lines


async def _openings(context: BrowserContext, look: Look, times: int) -> Line:
    """From the navigation, with nothing kept by the browser, to the first live number."""
    alive = "() => document.querySelector('.tile [data-value]') && performance.now()"
    took = []
    session = await context.new_cdp_session(look.page)
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    for _ in range(times):
        await look.page.goto("about:blank")
        await look.page.goto(f"{look.base}#/now", wait_until="commit")
        handle = await look.page.wait_for_function(alive, polling="raf")
        took.append(float(await handle.json_value()))
    await session.detach()
    return Line(
        "dashboard: navigation to the first live number, nothing cached",
        f"{statistics.median(took):.0f} ms (worst of {times}: {max(took):.0f} ms)",
        "≤ 1,000 ms",
    )


async def _requests(look: Look, stock: Stock) -> Line:
    """What each screen asks the API when it is opened, and once all of it was scrolled over."""
    found = []
    for stop in stops(stock):
        await look.page.goto("about:blank")
        look.asked.clear()
        await look.open_top(stop.screen, **stop.state)
        top = len(look.asked)
        await look.settled()
        whole = len(look.asked)
        found.append(f"{stop.name} {top}" + (f" ({whole})" if whole > top else ""))
    return Line("dashboard: requests to the API by screen, with sign-in and catalogue (2)",
                ", ".join(found), "")  # fmt: skip


async def _frames(browser: Browser, frames: int) -> list[Line]:
    """Twelve charts of new numbers: the processor time of the page's main thread, by frame."""
    folder = await asyncio.to_thread(_built)
    page = await browser.new_page(viewport={"width": 1400, "height": 1000})

    async def answer(route: Route) -> None:
        path = folder / (route.request.url.removeprefix("http://bench.test/") or "index.html")
        await route.fulfill(body=path.read_bytes(), content_type=_TYPES.get(path.suffix, ""))

    await page.route("http://bench.test/**", answer)
    await page.goto("http://bench.test/")
    await page.wait_for_function(f"document.querySelectorAll('canvas').length === {CHARTS}")
    await page.evaluate("(frames) => window.measure(frames, 1)", WARM_UP)
    lines = []
    for every, when in ((1, "in every frame"), (60, "once a second, as they are told")):
        await browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
        drawn = await page.evaluate("([n, every]) => window.measure(n, every)", [frames, every])
        work = sorted(_work_ms(await browser.stop_tracing()))
        lines.append(
            Line(
                f"dashboard: {CHARTS} live charts of {POINTS:,} points, new numbers {when}: "
                "processor time of a frame, drawing and putting on the screen",
                f"median {statistics.median(work):.1f} ms, p95 {percentile(work, 95):.1f} ms, "
                f"longest {work[-1]:.1f} ms; {drawn / frames:.1f} charts drawn a frame",
                f"≤ {FRAME_MS} ms",
            )
        )
    return lines


def _work_ms(trace: bytes) -> list[float]:
    """Return what the page's main thread computed from the start of each frame to the next."""
    events = json.loads(trace)["traceEvents"]
    # One page has most frames; others are the browser's own.
    threads = Counter((one["pid"], one["tid"]) for one in events if one["name"] == _FRAME)
    thread = threads.most_common(1)[0][0]
    mine = [one for one in events if (one["pid"], one["tid"]) == thread]
    turns = sorted(one["ts"] for one in mine if one["name"] == _FRAME)
    tasks = sorted(
        (one for one in mine if one["name"] == _TASK and "dur" in one), key=lambda one: one["ts"]
    )
    work: list[float] = []
    for task in tasks:
        turn = bisect_left(turns, task["ts"])
        if turn < len(turns) and turns[turn] < task["ts"] + task["dur"]:
            work.append(0.0)
        if work:
            work[-1] += task.get("tdur", 0) / 1000
    return work[1:-1]


def _built() -> Path:
    """Build the page of charts from the dashboard's own part; return where it is."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    constants = (
        f"  const CHARTS = {CHARTS};\n  const POINTS = {POINTS};\n  const TURNS = {TURNS};\n"
    )
    (WORKSHOP / "index.html").write_text(_PAGE)
    (WORKSHOP / "main.js").write_text(_MAIN)
    (WORKSHOP / "Charts.svelte").write_text(_CHARTS.replace("<script>\n", f"<script>\n{constants}"))
    command = ["npx", "vite", "build", str(WORKSHOP), "--config", "vite.config.ts"]
    command += ["--outDir", "built", "--emptyOutDir", "--logLevel", "warn"]
    subprocess.run(command, cwd=DASHBOARD, check=True, capture_output=True, timeout=120)
    return WORKSHOP / "built"
