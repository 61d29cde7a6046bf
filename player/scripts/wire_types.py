"""Write `player/src/wire/event.ts` from the server's model: one event map for both sides.

`python player/scripts/wire_types.py` writes; `--check` says whether it is out of date, exit 1.
"""

import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec

from playhead.model import event, kinds

OUT = Path(__file__).parents[1] / "src/wire/event.ts"
PARTS = (
    event.Quality, event.Buffering, event.Network, event.Device, event.PlayerStats,
    event.Engagement, event.PlayerError, event.Ad, event.Hop, event.Request,
)  # fmt: skip
HEAD = "// Made by scripts/wire_types.py from the server's model; change that instead.\n"


def written(kind: object) -> str:
    """Return a Python annotation as TypeScript."""
    simple = {str: "string", bool: "boolean", int: "number", float: "number"}
    if isinstance(kind, type) and kind in simple:
        return simple[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind.__name__
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in {types.UnionType, typing.Union}:
        return " | ".join(written(one) for one in args if one is not types.NoneType)
    if origin is list:
        return f"{written(args[0])}[]"
    if origin is dict:
        return f"Record<{written(args[0])}, unknown>"
    raise TypeError(f"No TypeScript for {kind!r}.")


def fields(struct: type[msgspec.Struct], *, skip: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the lines of an interface."""
    hints = typing.get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        if field.encode_name in skip:
            continue
        optional = "" if field.required else "?"
        yield f"  {field.encode_name}{optional}: {written(hints[field.name])};"


def text() -> str:
    """Return the whole file."""
    lines = [HEAD, "/** The kinds of event that the server's state machine knows. */"]
    lines += ["export type Kind =", *(f"  | '{kind}'" for kind in kinds.ALL)]
    lines[-1] += ";"
    for part in PARTS:
        doc = (part.__doc__ or "").strip().split("\n")[0]
        lines += ["", f"/** {doc} */", f"export interface {part.__name__} {{", *fields(part), "}"]
    skip = frozenset({"extra", "eventType"})
    doc = "One thing that happened in one player, as it travels to `POST /telemetry`."
    lines += ["", f"/** {doc} */", "export interface WireEvent {", "  eventType: Kind;"]
    lines += [*fields(event.Event, skip=skip), "}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    made = text()
    if "--check" in sys.argv:
        sys.exit(0 if OUT.exists() and OUT.read_text("utf-8") == made else f"{OUT} is out of date.")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(made, "utf-8")
