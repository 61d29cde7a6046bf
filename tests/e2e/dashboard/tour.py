"""The screens one after the other, as a person sees them; what axe and the Tab key say of each."""

import os
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from e2e.browser import ROOT
from e2e.dashboard.look import Look
from e2e.dashboard.stock import Stock

AXE: Final = ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS: Final = Path(os.environ.get("PLAYHEAD_SHOTS") or tempfile.mkdtemp(prefix="shots-"))
GRAVE: Final = ("serious", "critical")
DESK: Final = {"width": 1400, "height": 1000}
PHONE: Final = {"width": 390, "height": 844}
TABS_MOST: Final = 250
_REACHABLE: Final = """() => {
  const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  let number = 0;
  return [...document.querySelectorAll(wanted)]
    .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled)
    .map((one) => { one.dataset.tab = String(number++); return one.outerHTML.slice(0, 120); });
}"""
_FOCUSED: Final = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one);
  // Of a field for times the browser marks the part that has the focus: hours, minutes, its button.
  const marked = one.matches('input[type="datetime-local"]');
  return [one.dataset.tab ?? '', marked || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
    one.outerHTML.slice(0, 120)];
}"""


class Stop(NamedTuple):
    """A screen of the tour."""

    name: str
    screen: str
    state: dict[str, Any]


def stops(stock: Stock | None) -> list[Stop]:
    """Return the screens; of an empty server those that need nothing."""
    span = stock.span if stock else {}
    recent = stock.recent if stock else {}
    found = [
        Stop("now", "now", {}), Stop("quality", "quality", span),
        Stop("metric", "quality", {"metric": "startup_time", **span}),
        Stop("audience", "audience", span), Stop("content", "content", span),
        Stop("cdn", "cdn", recent), Stop("views", "views", recent),
        Stop("pipes", "pipes", {}), Stop("setup", "setup", {}),
    ]  # fmt: skip
    if stock:
        worst = stock.server.get("/v1/views", order="rebuffer_ms:desc", limit=1, **recent)
        view_id = worst["data"][0]["view_id"]
        found.append(Stop("title", f"content/{stock.titles[0]}", span))
        found.append(Stop("view", f"views/{view_id}", recent))
        found.append(Stop("endpoint", "pipes/video_performance_by_cdn", {"run": "1"}))
        found += [Stop(tab, "pipes", {"tab": tab}) for tab in ("sql", "sources", "quarantine")]
    return found


NAMES: Final = tuple(stop.name for stop in stops(None))
FULL_NAMES: Final = (*NAMES, "title", "view", "endpoint", "sql", "sources", "quarantine")


async def shot(look: Look, name: str) -> None:
    """Keep a picture of the whole page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    await look.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


async def findings(look: Look) -> list[str]:
    """Return what axe calls serious or critical, a sentence each."""
    await look.page.add_script_tag(path=AXE)
    result = await look.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']} ({found['impact']}): {found['help']}: {node['html'][:160]}"
        f" {node['failureSummary'][:200]}"
        for found in result["violations"]
        if found["impact"] in GRAVE
        for node in found["nodes"][:3]
    ]


async def unreached(look: Look) -> list[str]:
    """Walk over the screen by Tab; return what is not reached, or reached unseen."""
    wanted: list[str] = await look.page.evaluate(_REACHABLE)
    await look.page.evaluate("document.activeElement?.blur?.(); getSelection().removeAllRanges()")
    reached: set[str] = set()
    unseen: list[str] = []
    limit = min(len(wanted), TABS_MOST)
    for _ in range(TABS_MOST):
        if len(reached) >= limit:
            break
        await look.page.keyboard.press("Tab")
        focused = await look.page.evaluate(_FOCUSED)
        if focused is None:
            continue
        tab, is_seen, html = focused
        reached.add(tab)
        if not is_seen:
            unseen.append(f"no visible focus: {html}")
    lost = [html for number, html in enumerate(wanted[:limit]) if str(number) not in reached]
    return unseen + [f"not reached: {html}" for html in lost]
