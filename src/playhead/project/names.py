"""Names of resources and nodes."""

import re
from typing import Final

NAME_CHARS_MAX: Final = 128
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def name_fault(name: str) -> str:
    """Return why this cannot name a resource or a node, as a sentence; "" = it can."""
    if not name:
        return "A name is missing."
    if len(name) > NAME_CHARS_MAX:
        return f"The name '{name[:40]}…' is longer than {NAME_CHARS_MAX} letters."
    if not _NAME.fullmatch(name):
        return f"'{name}' is no name: letters, digits and '_' make one, and no digit begins it."
    return ""
