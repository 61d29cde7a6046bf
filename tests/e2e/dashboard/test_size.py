"""The first load: small, from this server alone, nothing inline."""

import re

from e2e.browser import needed
from e2e.dashboard.weight import BUDGET_BYTES, BUILT, FIRST, LINKED, first_load, packed


def test_the_first_load_is_small() -> None:
    needed("" if BUILT.exists() else "The dashboard is not built: make dashboard.")
    files = first_load(BUILT, FIRST)
    names = {path.name.split("-", 1)[0] for path in files}
    assert {"Now", "TimeChart", "Panel"} <= names
    assert "WorldMap" not in names
    assert packed(files) <= BUDGET_BYTES


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    needed("" if BUILT.exists() else "The dashboard is not built: make dashboard.")
    page = BUILT.read_text()
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    linked = LINKED.findall(page)
    assert linked
    assert not [name for name in linked if "//" in name or name.startswith("/")]
    for path in (BUILT.parent / "assets").glob("*.css"):
        assert not re.search(r"url\((?!data:|#)", path.read_text()), path.name
