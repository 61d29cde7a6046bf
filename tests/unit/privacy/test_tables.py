from types import SimpleNamespace
from typing import Any, cast

from playhead.privacy.tables import tables_of
from playhead.privacy.viewer import viewer_of
from playhead.project.manifest import Manifest
from playhead.store.async_client import AsyncStoreClient

KINDS = [
    ("playhead", "cdn_requests", "property", "LowCardinality(String)"),
    ("playhead", "cdn_requests", "url", "String"),
    ("playhead", "quarantine", "property", "LowCardinality(String)"),
    ("playhead", "quarantine", "body", "String"),
]


class Store:
    """Knows columns alone."""

    async def rows(self, _: str) -> Any:
        return SimpleNamespace(rows=KINDS)


async def conditions(id_: str, where: str = "") -> dict[str, str]:
    store = cast("AsyncStoreClient", Store())
    found = await tables_of(store, viewer_of(id_, where, ()), Manifest())
    return {table.name: table.condition for table in found}


async def test_a_deletion_in_one_property_looks_into_no_other() -> None:
    of_one, of_all = await conditions("viewer-gone", "p"), await conditions("viewer-gone")
    assert all(said.endswith("AND property = {property:String})") for said in of_one.values())
    assert not any("{property:String}" in said for said in of_all.values())


async def test_a_number_in_an_address_of_content_is_no_viewer() -> None:
    of_number, of_word = await conditions("12345678"), await conditions("viewer-gone")
    assert "match(" not in of_number["playhead.cdn_requests"]
    assert "match(" in of_number["playhead.quarantine"]
    assert "match(" in of_word["playhead.cdn_requests"]
