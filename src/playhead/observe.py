"""What Playhead says about itself: structured log lines and Prometheus counters.

Lines are events named `noun_past_verb`; secrets and addresses are never among their fields.
"""

import io
import logging
import sys
from typing import Any, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)


class SteadyOutput(io.TextIOBase):
    """A text stream that never fails, over one that may.

    Lines of a log often go to a file on the very disk that is full: then they are left out, and how
    many is said once there is room again. A process that has something to say must not end of it.
    """

    def __init__(self, out: TextIO) -> None:
        super().__init__()
        self._out = out
        self._waiting = self._lost = 0

    def write(self, text: str) -> int:
        """Write, or count the lines that could not be written."""
        self._waiting += text.count("\n")
        try:
            if self._lost:
                self._out.write(_LOST % self._lost)
                self._out.flush()
                self._lost = 0
            self._out.write(text)
        except OSError:
            self._give_up()
        return len(text)

    def flush(self) -> None:
        """Write what waits, or count it."""
        try:
            self._out.flush()
        except OSError:
            self._give_up()
        self._waiting = 0

    def _give_up(self) -> None:
        self._lost += self._waiting
        self._waiting = 0

    def isatty(self) -> bool:
        """Tell whether a person looks at it."""
        return self._out.isatty()


_LOST = '\n{"part": "log", "lines": %d, "event": "log_lines_lost", "level": "warning"}\n'
"""Begins with a line end: what failed may have left half a line."""


def configure_logging(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Log readable lines on a terminal and JSON lines anywhere else, to `stream` (stderr)."""
    out = SteadyOutput(stream or sys.stderr)
    renderer: Any
    if out.isatty():
        # Plain traces: the pretty ones print local variables, tokens among them.
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", out)),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> Any:
    """Return a logger whose lines carry the part's name."""
    return structlog.get_logger(part=name)


def counter(name: str, documentation: str, labels: tuple[str, ...] = ()) -> Counter:
    """Make a counter in the process's registry; `_total` is added by the exposition."""
    return Counter(name, documentation, labels, namespace="playhead", registry=REGISTRY)


def gauge(name: str, documentation: str, labels: tuple[str, ...] = ()) -> Gauge:
    """Make a gauge in the process's registry."""
    return Gauge(name, documentation, labels, namespace="playhead", registry=REGISTRY)


def samples(name: str) -> list[tuple[dict[str, str], float]]:
    """Return the values of one metric of this process, each with its labels; none if it has none."""
    found = REGISTRY.restricted_registry([name]).collect()
    return [(one.labels, one.value) for metric in found for one in metric.samples]


def histogram(
    name: str, documentation: str, labels: tuple[str, ...] = (), *, buckets: tuple[float, ...]
) -> Histogram:
    """Make a histogram in the process's registry."""
    return Histogram(
        name, documentation, labels, namespace="playhead", registry=REGISTRY, buckets=buckets
    )
