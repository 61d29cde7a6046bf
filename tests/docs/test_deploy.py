"""The files in `deploy/` that no other test runs: the unit of systemd."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from playhead.cli import main
from playhead.serve.watch.rules import RULES
from support.pages import DOCS, ROOT, text_of

UNIT = ROOT / "deploy" / "systemd" / "playhead.service"
EXPOSURE_MAX = 30
"""Tenths, of what `systemd-analyze security` gives: 0 may do nothing, 100 everything."""


def service() -> list[tuple[str, str]]:
    """The lines of [Service]; some stand more than once."""
    text = text_of(UNIT).partition("[Service]\n")[2].partition("\n[")[0]
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def test_the_unit_starts_what_there_is_and_stops_it_in_order() -> None:
    settings = dict(service())
    _, name, *options = settings["ExecStart"].split()
    up = main.get_command(click.Context(main), name)
    assert up is not None
    known = {option for parameter in up.params for option in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known
    assert (settings["KillMode"], settings["OOMPolicy"]) == ("mixed", "continue")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    # Of the unit, only the program is not on this machine.
    unit = tmp_path / UNIT.name
    unit.write_text(text_of(UNIT).replace("/opt/playhead/.venv/bin/playhead", "/bin/true"))
    command = ["systemd-analyze", "--man=no", "verify", str(unit)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in verified.stderr.splitlines() if UNIT.name in line]
    assert said == []
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE_MAX}",
         str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


def test_every_file_is_named_on_a_page() -> None:
    pages = "".join(text_of(page) for page in DOCS.rglob("*.md"))
    files = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    assert files
    assert [
        path.name for path in files if f"deploy/{path.relative_to(ROOT / 'deploy')}" not in pages
    ] == []


def test_every_alert_is_on_its_page() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", text_of(DOCS / "how-to" / "alerts.md"), re.MULTILINE)
    assert sorted(listed) == sorted(RULES)
    assert listed
