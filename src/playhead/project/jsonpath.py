"""JSON paths of a schema: `$`, `$.a.b`, `$.a[:]`, `$.a[:].b`."""

import re
from typing import Final

STEPS_MAX: Final = 20
_STEP: Final = re.compile(r"\.([^.\[\]]++)|(\[:\])")


def path_fault(path: str) -> str:
    """Return why this is no path, as a sentence; "" = it is one."""
    if not path.startswith("$"):
        return f"The JSON path '{path[:80]}' begins with '$'."
    at = 1
    steps = 0
    while at < len(path):
        match = _STEP.match(path, at)
        steps += 1
        if match is None or not (match[2] or match[1].strip()):
            return f"The JSON path '{path[:80]}' is made of '.key' and '[:]' after the '$'."
        if steps > STEPS_MAX:
            return f"The JSON path '{path[:80]}' has more than {STEPS_MAX} steps."
        at = match.end()
    return ""
