"""The event map is one: what the SDK may send is generated from what the server reads."""

import runpy
from pathlib import Path

PLAYER = Path(__file__).parents[2] / "player"


def test_the_sdks_event_types_are_those_of_the_model() -> None:
    script = runpy.run_path(str(PLAYER / "scripts" / "wire_types.py"))
    made = script["text"]()
    assert "export interface WireEvent" in made
    assert (PLAYER / "src/wire/event.ts").read_text("utf-8") == made, (
        "run: python player/scripts/wire_types.py"
    )
