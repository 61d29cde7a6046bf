"""Put the marked region of an example's script into the pages that show it.

A page says `<!-- snippet: examples/hls.js -->` above a fenced block; the block is written from the
file, between `// region snippet` and `// endregion`. Lines that end in `// only here` belong to the
example alone, and its `endpoint` becomes an address that stands for the reader's own server.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PLACE = re.compile(r"(<!-- snippet: (\S+) -->\n```js\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)
REGION = re.compile(r"^// region snippet\n(.*?)^// endregion$", re.DOTALL | re.MULTILINE)
ONLY_HERE = re.compile(r"^.*// only here\n", re.MULTILINE)
ENDPOINT = re.compile(r"\bendpoint,")
READERS = "endpoint: 'https://metrics.example.org',"


def snippet(path: Path) -> str:
    """Return the region of a script as a reader would write it."""
    [region] = REGION.findall(path.read_text("utf-8"))
    return ENDPOINT.sub(READERS, ONLY_HERE.sub("", region))


def renewed(text: str) -> str:
    """Return a page with each of its snippets as the example has it today."""
    return PLACE.sub(lambda found: f"{found[1]}{snippet(ROOT / found[2])}{found[4]}", text)


def stale() -> list[Path]:
    """Return the pages whose snippets are not those of the examples."""
    return [page for page in pages() if renewed(page.read_text("utf-8")) != page.read_text("utf-8")]


def pages() -> list[Path]:
    """Return the pages that may show a snippet."""
    return [ROOT / "README.md", *sorted(HERE.rglob("*.md"))]
