"""JSON lines: one object each."""

from typing import Final

import msgspec

from playhead.collect.logs.logged import BrokenLine

_object: Final = msgspec.json.Decoder(dict[str, object])


def object_of(line: bytes) -> dict[str, object]:
    """Return the object of a line.

    Raises:
        BrokenLine: It is none.
    """
    try:
        return _object.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenLine(f"The line is no JSON object: {error}.") from error
    except RecursionError as error:
        raise BrokenLine("The line is nested too deeply.") from error
