"""The conformance suite: cases as data, one module an area that knows how to run them."""

import asyncio
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).parent
CASES = HERE / "cases"


class Case(NamedTuple):
    """One case: where it stands and what it says."""

    area: str
    topic: str
    given: dict[str, Any]

    @property
    def name(self) -> str:
        """Return `area/topic/id`."""
        return f"{self.area}/{self.topic}/{self.given['id']}"


def cases() -> Iterator[Case]:
    """Yield every case, areas and topics in the order of the alphabet."""
    for path in sorted(CASES.glob("*/*.yaml")):
        for given in yaml.safe_load(path.read_text("utf-8")) or ():
            yield Case(path.parent.name, path.stem, given)


def run(case: Case) -> None:
    """Run one case; raises AssertionError when it does not hold."""
    area = importlib.import_module(f"conformance.areas.{case.area}")
    outcome = area.run(case.given)
    if inspect.isawaitable(outcome):
        asyncio.run(_wait(outcome))


async def _wait(outcome: Any) -> None:
    await outcome


def close() -> None:
    """End what areas keep running between cases: a store, a server."""
    for path in sorted((HERE / "areas").glob("*.py")):
        area = importlib.import_module(f"conformance.areas.{path.stem}")
        end = getattr(area, "close", None)
        if end is not None:
            end()
