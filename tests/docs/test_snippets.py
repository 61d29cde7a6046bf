"""What the pages show of the SDK is what the example pages run. (That it is theirs to the letter,
`test_reference` checks.)"""

import re
from pathlib import Path

import pytest

from support.pages import DOCS, ROOT, named, pages, text_of

SHOWN = re.compile(r"<!-- snippet: (\S+) -->\n```js\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLES = sorted(p for p in (ROOT / "examples").glob("*.js") if "// region snippet" in text_of(p))


def shown() -> dict[str, str]:
    """Each example's snippet as a page shows it, by the example's name."""
    found = [pair for page in pages() for pair in SHOWN.findall(text_of(page))]
    assert len(found) == len({name for name, _ in found}), "an example is shown twice"
    return dict(found)


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_every_example_is_shown_and_is_whole(example: Path) -> None:
    text = shown()[named(example)]
    assert re.search(r"from '@playhead/player[/a-z]*';", text)
    assert "only here" not in text
    assert "endpoint: 'https://metrics.example.org'" in text


def test_every_player_s_page_shows_one() -> None:
    players = sorted(DOCS.glob("how-to/player-*.md"))
    assert [
        named(p) for p in players if p.stem != "player-sdk" and not SHOWN.search(text_of(p))
    ] == []
    assert len(EXAMPLES) >= len(players)
