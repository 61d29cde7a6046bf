"""A log that cannot be written ends no process, and says afterwards what is missing."""

import os
from pathlib import Path

import pytest

from playhead.observe import SteadyOutput


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    with file.open("w") as out, Path("/dev/full").open("w") as full:
        steady = SteadyOutput(out)
        steady.write("before\n")
        kept = os.dup(out.fileno())
        os.dup2(full.fileno(), out.fileno())
        print("one", file=steady, flush=True)
        print("two", file=steady, flush=True)
        os.dup2(kept, out.fileno())
        os.close(kept)
        print("after", file=steady, flush=True)
    lines = file.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert [line for line in lines if '"lines": 2' in line and "log_lines_lost" in line]
