"""Quality scores, 0 to 100: published formulas (reference metrics.md §2.2), pure functions.

`score_version` in the row names the version of these formulas.
"""

from math import exp, log, sqrt
from typing import Final

SMOOTH_WEIGHT: Final = 0.45
STARTUP_WEIGHT: Final = 0.30
QUALITY_WEIGHT: Final = 0.25
SUCCESS: Final = 100.0
ABANDONED: Final = 50.0
FAILED: Final = 0.0


def startup_score(startup_ms: float) -> float:
    """Return 100·8/(8+s): 100 at once, 50 after eight seconds."""
    seconds = max(0.0, startup_ms) / 1000.0
    return 100.0 * 8.0 / (8.0 + seconds)


def smooth_score(stalls: int, rebuffer_fraction: float) -> float:
    """Return the mean of a score of the number of stalls and one of their share of watch time."""
    by_count = 100.0 / sqrt(1.0 + (max(0, stalls) / 2.0) ** 2)
    by_share = 100.0 * exp(-10.0 * max(0.0, rebuffer_fraction))
    return (by_count + by_share) / 2.0


def quality_score(upscale_max: float, upscale_avg: float) -> float:
    """Return 100·e^(-0.33·(0.15·Umax + 0.85·Uavg)); upscale as a fraction (1 = doubled)."""
    return 100.0 * exp(-0.33 * (0.15 * max(0.0, upscale_max) + 0.85 * max(0.0, upscale_avg)))


def overall_score(
    success: float | None, smooth: float | None, startup: float | None, quality: float | None
) -> float | None:
    """Return success/100 times the weighted geometric mean of the parts that exist.

    No success score, no overall score; a view with no part at all is judged by success alone.
    """
    if success is None:
        return None
    total = 0.0
    weights = 0.0
    for part, weight in (
        (smooth, SMOOTH_WEIGHT), (startup, STARTUP_WEIGHT), (quality, QUALITY_WEIGHT),
    ):  # fmt: skip
        if part is None:
            continue
        if part <= 0.0:
            return 0.0
        total += weight * log(part)
        weights += weight
    if not weights:
        return success
    return min(100.0, success / 100.0 * exp(total / weights))
