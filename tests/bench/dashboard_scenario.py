"""The dashboard in a browser: what is fetched, how soon it lives, how long a frame takes."""

import asyncio
import statistics
import subprocess
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
FRAMES: Final = 120
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
  const values = (turn, chart) =>
    Array.from({ length: POINTS }, (_, at) => 100 + 60 * Math.sin((at + turn) / (30 + chart)) + ((at * 7) % 13));
  const at = (turn) => ({
    times: Array.from({ length: POINTS }, (_, second) => begin + turn + second),
    charts: Array.from({ length: CHARTS }, (_, chart) => values(turn, chart)),
  });
  let now = $state.raw(at(0));
  export function step(turn) {
    return at(turn);
  }
  export function show(next) {
    now = next;
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
import Charts from './Charts.svelte';
const charts = mount(Charts, { target: document.body });
const frame = () => new Promise((done) => requestAnimationFrame(done));
window.measure = async (frames) => {
  const found = { work: [], apart: [] };
  let before = await frame();
  for (let turn = 1; turn <= frames; turn += 1) {
    const next = charts.step(turn);
    const begin = await frame();
    const started = performance.now();
    charts.show(next);
    flushSync();
    await Promise.resolve();
    found.work.push(performance.now() - started);
    found.apart.push(await frame() - begin);
  }
  return found;
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
        lines.append(await _frames(browser, 30 if quick else FRAMES))
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
    """What each screen asks the API when it is opened."""
    found = []
    for stop in stops(stock):
        await look.page.goto("about:blank")
        look.asked.clear()
        await look.open(stop.screen, **stop.state)
        found.append(f"{stop.name} {len(look.asked)}")
    return Line("dashboard: requests to the API by screen, with sign-in and catalogue (2)",
                ", ".join(found), "")  # fmt: skip


async def _frames(browser: Browser, frames: int) -> Line:
    """Twelve charts, each with new numbers in every frame."""
    folder = await asyncio.to_thread(_built)
    page = await browser.new_page(viewport={"width": 1400, "height": 1000})

    async def answer(route: Route) -> None:
        path = folder / (route.request.url.removeprefix("http://bench.test/") or "index.html")
        await route.fulfill(body=path.read_bytes(), content_type=_TYPES.get(path.suffix, ""))

    await page.route("http://bench.test/**", answer)
    await page.goto("http://bench.test/")
    await page.wait_for_function(f"document.querySelectorAll('canvas').length === {CHARTS}")
    found = await page.evaluate("(frames) => window.measure(frames)", frames)
    work, apart = found["work"], found["apart"]
    return Line(
        f"dashboard: {CHARTS} live charts of {POINTS:,} points, all renewed in one frame",
        f"{statistics.median(work):.1f} ms of work (p95 {percentile(work, 95):.1f} ms); "
        f"next frame after {statistics.median(apart):.1f} ms",
        f"≤ {FRAME_MS} ms",
    )


def _built() -> Path:
    """Build the page of charts from the dashboard's own part; return where it is."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    constants = f"  const CHARTS = {CHARTS};\n  const POINTS = {POINTS};\n"
    (WORKSHOP / "index.html").write_text(_PAGE)
    (WORKSHOP / "main.js").write_text(_MAIN)
    (WORKSHOP / "Charts.svelte").write_text(_CHARTS.replace("<script>\n", f"<script>\n{constants}"))
    command = ["npx", "vite", "build", str(WORKSHOP), "--config", "vite.config.ts"]
    command += ["--outDir", "built", "--emptyOutDir", "--logLevel", "warn"]
    subprocess.run(command, cwd=DASHBOARD, check=True, capture_output=True, timeout=120)
    return WORKSHOP / "built"
