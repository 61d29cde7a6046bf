"""Ad breaks: which events a break sends, and after how long each."""

import random
from typing import Any, NamedTuple

from playhead.model import kinds

AD_SECONDS = (10, 15, 20, 30)


class Step(NamedTuple):
    """An event of the break, `after_ms` the one before it."""

    after_ms: int
    kind: str
    fields: dict[str, Any]


def script(rng: random.Random, position: str, count: int) -> list[Step]:
    """Return the steps of a break of `count` ads; `position` is preroll or midroll.

    The break begins with the first frame of its first ad: what came before is startup.
    """
    if rng.random() < 0.02:
        failed = {"id": "none", "position": position}
        return [Step(900, kinds.AD_ERROR, {"ad": failed})]
    steps: list[Step] = []
    for pod in range(count):
        seconds = rng.choice(AD_SECONDS)
        ad: dict[str, Any] = {
            "id": f"ad-{rng.randrange(12):02}", "position": position, "podIndex": pod,
            "durationSec": seconds,
        }  # fmt: skip
        wait_ms = round(rng.uniform(250, 1_400)) if pod == 0 and position == "preroll" else 0
        if pod == 0:
            answered_ms = wait_ms * 2 // 5
            if wait_ms:
                steps.append(Step(answered_ms, kinds.AD_RESPONSE, {"ad": {"position": position}}))
            steps.append(Step(wait_ms - answered_ms, kinds.AD_BREAK_START, {"ad": ad}))
        quarter_ms = seconds * 250
        steps.append(Step(0, kinds.AD_START, {"ad": ad}))
        steps.append(Step(quarter_ms, kinds.AD_FIRST_QUARTILE, {"ad": ad}))
        if seconds >= 20 and rng.random() < 0.3:
            steps.append(Step(quarter_ms, kinds.AD_SKIP, {"ad": ad}))
            continue
        steps.append(Step(quarter_ms, kinds.AD_MIDPOINT, {"ad": ad}))
        steps.append(Step(quarter_ms, kinds.AD_THIRD_QUARTILE, {"ad": ad}))
        steps.append(Step(quarter_ms, kinds.AD_END, {"ad": ad}))
    steps.append(Step(0, kinds.AD_BREAK_END, {"ad": {"position": position}}))
    return steps
