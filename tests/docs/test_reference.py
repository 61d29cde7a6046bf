"""The reference says what the code says: nothing is missing, nothing is out of date."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from playhead import config, errors
from playhead.access import Tokens
from playhead.cli import main
from playhead.clock import ManualClock
from playhead.collect import cmcd, epas, events, telemetry
from playhead.collect.logs import door as cdn_logs
from playhead.collect.request import DropReason
from playhead.config.file import load
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.model import cdn_request, event, frame, view
from playhead.query import quarantine
from playhead.query.catalogue import catalogue
from playhead.serve.app import Port, create_app
from playhead.serve.services import Services
from playhead.store.client import AsyncStoreClient
from playhead.store.location import embedded
from support.pages import DOCS, text_of

SECTIONS = config.Config.__struct_fields__
EVENT_PARTS = (
    "Event", "Quality", "Buffering", "Network", "Device", "PlayerStats", "Engagement",
    "PlayerError", "Ad", "Request",
)  # fmt: skip


DOORS = (*telemetry.PATHS, *cmcd.PATHS, *epas.PATHS, *cdn_logs.PATHS, events.PATH)
ROWS = {
    "A CDN request": cdn_request.COLUMNS,
    "A frame report": frame.COLUMNS,
    "A refused event": tuple(
        quarantine._presented(
            dict.fromkeys(quarantine._SHOWN, 0) | {"received_at": "2026-01-01 00:00:00.000"}, {}
        )
    ),
}


def page(name: str) -> str:
    return text_of(DOCS / "reference" / name)


def test_the_generated_pages_are_up_to_date() -> None:
    # In a process of its own: a command that another test has called remembers its options.
    command = [sys.executable, str(DOCS / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "up to date\n", "run .venv/bin/python docs/generate.py" + done.stderr


@pytest.mark.parametrize("name", ["settings.md", "fields.md", "metrics.md", "errors.md"])
def test_no_entry_is_without_a_meaning(name: str) -> None:
    rows = [line for line in page(name).splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if row.rstrip().endswith("|  |")] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented(section: str) -> None:
    text = page("settings.md").partition(f"## [{section}]")[2].partition("\n## ")[0]
    keys = getattr(config.Config(), section).__struct_fields__
    assert [key for key in keys if f"| `{key}` |" not in text] == []


def classes(kind: type[errors.PlayheadError]) -> list[type[errors.PlayheadError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in classes(child))]


def test_every_error_code_is_documented() -> None:
    codes = {kind.code for kind in classes(errors.PlayheadError)}
    assert [code for code in sorted(codes) if f'<a id="{code}"></a>' not in page("errors.md")] == []


def test_every_drop_reason_is_documented() -> None:
    reasons = [*(reason.value for reason in DropReason), "view_too_long"]
    assert [reason for reason in reasons if f"| `{reason}` |" not in page("errors.md")] == []


def test_every_metric_and_dimension_is_documented() -> None:
    text, found = page("metrics.md"), catalogue()
    assert [name for name in found.metrics if f"— `{name}`\n" not in text] == []
    assert [name for name in found.dimensions if f"| `{name}` |" not in text] == []


def test_every_view_field_is_documented() -> None:
    assert [name for name in view.COLUMNS if f"| `{name}` |" not in page("fields.md")] == []


@pytest.mark.parametrize("title", ROWS)
def test_every_field_of_the_other_rows_is_documented(title: str) -> None:
    text = page("fields.md").partition(f"## {title} (")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(ROWS[title])


@pytest.mark.parametrize("part", EVENT_PARTS)
def test_every_event_field_is_documented(part: str) -> None:
    text = page("fields.md").partition(f"### {part}\n")[2].partition("\n### ")[0]
    names = [name for name in getattr(event, part).__struct_encode_fields__ if name != "extra"]
    assert [name for name in names if f"| `{name}` |" not in text] == []


def commands(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    found = [(name, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            inner = command.get_command(context, child)
            assert inner is not None
            found += commands(inner, f"{name} {child}")
    return found


@pytest.mark.parametrize(("name", "command"), commands(main, "playhead"))
def test_every_option_is_documented_and_helped(name: str, command: click.Command) -> None:
    text = page("command-line.md").partition(f"## {name}\n")[2].partition("\n## ")[0]
    shown = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    assert [p.opts[0] for p in shown if f"  {p.opts[0]}" not in text] == []
    assert [p.opts[0] for p in shown if not p.help] == []


@pytest.fixture
def routes(tmp_path: Path) -> Iterator[list[str]]:
    """The addresses of the running application: the answers' routes and the doors' paths."""
    settings, clock = load(overrides={"data.dir": str(tmp_path)}).config, ManualClock()
    tokens = Tokens(tmp_path / "access.db", clock)
    services = Services(
        config=settings, clock=clock, store=AsyncStoreClient(embedded(tmp_path)), tokens=tokens,
        log=MemoryLog(settings.log, clock), ledger=Ledger(tmp_path / "worker.db", writable=False),
    )  # fmt: skip
    app = create_app(services)
    assert isinstance(app, Port)
    answers = app._answers
    assert isinstance(answers, Starlette)
    found = [route.path for route in answers.routes if isinstance(route, Route)]
    yield [*(re.sub(r":\w+}", "}", path) for path in found), *DOORS]
    tokens.close()


def test_every_route_is_documented(routes: list[str]) -> None:
    assert len(routes) > len(DOORS)
    text = page("http.md").partition("## ")[0]
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert [path for path in routes if not any(f"`{path}`" in row for row in table)] == []
