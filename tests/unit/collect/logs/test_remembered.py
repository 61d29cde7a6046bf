"""What strangers write into a log line must not stay in the memories that make reading quick."""

from collections.abc import Callable
from types import ModuleType

import pytest

from playhead.clock import ManualClock
from playhead.collect.geography import Geography
from playhead.collect.internal import Internal
from playhead.collect.logs import fields, normal, patterns
from playhead.collect.logs.logged import Logged
from playhead.config import Collect

LONG = "x" * 60_000


def line() -> None:
    """Read a line whose every text is long."""
    collect = Collect()
    reader = normal.Normal(collect, Geography(collect, ManualClock()), Internal(collect))
    path = f"/a/{LONG}/film/1.ts"
    logged = Logged(at=0, path=path, client=LONG, referer=LONG, user_agent=LONG, cache=LONG)
    reader.request(logged, "")


@pytest.mark.parametrize(
    ("module", "memory", "read"),
    [
        (fields, "kept_text", lambda: fields.put_extra({}, "name", LONG)),
        (fields, "is_private", lambda: fields.put_extra({}, LONG, "value")),
        (patterns, "_folder", line),
        (normal, "_device_of", line),
        (normal, "_address", line),
        (normal, "host_of", line),
        (normal, "state_of", line),
    ],
)
def test_long_fields_of_a_line_are_not_remembered(
    module: ModuleType, memory: str, read: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    known = getattr(module, memory)

    def ask(text: str) -> object:
        asked.append(text)
        return known(text)

    monkeypatch.setattr(module, memory, ask)
    read()
    assert [len(text) for text in asked if len(text) > 2_048] == []


def test_own_patterns_remember_short_paths_only() -> None:
    own = patterns.Patterns([r"/v/(?P<video_id>[^/]+)/"])
    assert own.parts(f"/v/film/{LONG}").video_id == "film"
    assert own._known.cache_info().currsize == 0
    own.parts("/v/film/1.ts")
    assert own._known.cache_info().currsize == 1
