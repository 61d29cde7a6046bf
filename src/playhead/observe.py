"""What Playhead says about itself: structured log lines and Prometheus counters.

Lines are events named `noun_past_verb`; secrets and addresses are never among their fields.
"""

import logging
import sys
from typing import Any, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)


def configure_logging(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Log readable lines on a terminal and JSON lines anywhere else, to `stream` (stderr)."""
    out = stream or sys.stderr
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
        logger_factory=structlog.PrintLoggerFactory(out),
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


def histogram(
    name: str, documentation: str, labels: tuple[str, ...] = (), *, buckets: tuple[float, ...]
) -> Histogram:
    """Make a histogram in the process's registry."""
    return Histogram(
        name, documentation, labels, namespace="playhead", registry=REGISTRY, buckets=buckets
    )
