"""What a browser fetches before it shows a screen, and how much that is."""

import gzip
import re
from pathlib import Path
from typing import Final

from e2e.browser import ROOT

BUILT: Final = ROOT / "dashboard" / "dist" / "index.html"
BUDGET_BYTES: Final = 120 * 1024
FIRST: Final = "Now"
LINKED: Final = re.compile(r'(?:src|href)="(?:\./)?([^"]+)"')
_STATIC: Final = re.compile(r'(?:^|[;}])\s*import(?:[^"\'()]*?from)?\s*["\'](\./[^"\']+)["\']')


def first_load(page: Path, screen: str) -> list[Path]:
    """Return the files of the page and of a screen, with all they import."""
    folder = page.parent
    todo = [folder / name for name in LINKED.findall(page.read_text())]
    # The first screen and its styles: both are named after it.
    todo += sorted((folder / "assets").glob(f"{screen}-*"))
    found: dict[Path, None] = {page: None}
    while todo:
        path = todo.pop()
        if path in found or not path.is_file():
            continue
        found[path] = None
        if path.suffix == ".js":
            todo += [path.parent / name for name in _STATIC.findall(path.read_text())]
    # Styles of shared parts bear the names of their scripts.
    names = {path.name.rsplit("-", 1)[0] for path in found if path.suffix == ".js"}
    for style in (folder / "assets").glob("*.css"):
        if style.name.rsplit("-", 1)[0] in names:
            found[style] = None
    return list(found)


def packed(paths: list[Path]) -> int:
    """Return the bytes of files as they are sent."""
    return sum(len(gzip.compress(path.read_bytes())) for path in paths)
