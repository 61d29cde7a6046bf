"""Commands that swap tables and partitions: all of them or none, whatever the engine refuses."""

from typing import Any

import pytest

from playhead.errors import QueryFailed, QueryTimeout, RequestError, StoreError
from playhead.model.command import Place, Swap
from playhead.process.patience import Patience
from playhead.process.swapping import Swapping
from playhead.store.client import StoreClient
from support.api_fixtures import store
from support.running_store import RunningStore

__all__ = ["store"]

NAMES = ("plays", "by_day")


class Refusing:
    """A store that fails at the n-th statement that changes a live table."""

    def __init__(self, client: StoreClient, at: int, fault: Exception) -> None:
        self._client = client
        self._left = at
        self._fault = fault
        self.rows = client.rows

    def command(self, sql: str, *args: Any, **more: Any) -> None:
        if sql.startswith(("EXCHANGE", "ALTER TABLE `swap_live`")):
            self._left -= 1
            if self._left == 0:
                raise self._fault
        self._client.command(sql, *args, **more)


@pytest.fixture
def client(store: RunningStore) -> StoreClient:
    made = store.client
    for database in ("swap_live", "swap_new"):
        made.command(f"DROP DATABASE IF EXISTS {database} SYNC")
        made.command(f"CREATE DATABASE {database}")
        for name in NAMES:
            made.command(
                f"CREATE TABLE {database}.{name} (a UInt8, b UInt8) ENGINE = MergeTree"
                " PARTITION BY a ORDER BY b"
            )
            rows = "(1, 1), (2, 1)" if database == "swap_live" else "(1, 9), (3, 9)"
            made.command(f"INSERT INTO {database}.{name} VALUES {rows}")
    return made


def swaps(client: StoreClient, condition: str = "") -> list[Swap]:
    found = dict(
        client.rows(
            "SELECT name, toString(uuid) FROM system.tables WHERE database = 'swap_new'"
        ).rows
    )
    return [
        Swap(Place("swap_live", name), Place("swap_new", name), found[name], condition)
        for name in NAMES
    ]


def held(client: StoreClient, database: str = "swap_live") -> list[list[Any]]:
    sql = "SELECT groupArray((a, b)) FROM (SELECT a, b FROM {}.{} ORDER BY a, b)"
    return [client.rows(sql.format(database, name)).rows[0][0] for name in NAMES]


def swapping(client: Any) -> Swapping:
    return Swapping(client, Patience())


REFUSED = QueryFailed("Refused.", engine_code=48)


def test_an_exchange_that_fails_later_is_undone(client: StoreClient) -> None:
    before, wanted = (held(client), held(client, "swap_new")), swaps(client)
    with pytest.raises(StoreError, match="Refused"):
        swapping(Refusing(client, 2, REFUSED)).exchange(wanted)
    assert (held(client), held(client, "swap_new")) == before
    swapping(client).exchange(wanted)
    swapping(client).exchange(wanted)  # once more changes nothing
    assert (held(client), held(client, "swap_new")) == before[::-1]


def test_what_takes_too_long_is_repeated_from_where_it_was(client: StoreClient) -> None:
    before, wanted = (held(client), held(client, "swap_new")), swaps(client)
    with pytest.raises(QueryTimeout):
        swapping(Refusing(client, 2, QueryTimeout())).exchange(wanted)
    swapping(client).exchange(wanted)
    assert (held(client), held(client, "swap_new")) == before[::-1]


def test_a_table_that_is_gone_changes_none(client: StoreClient) -> None:
    before, wanted = held(client), swaps(client)
    client.command("DROP TABLE swap_new.by_day SYNC")
    with pytest.raises(RequestError):
        swapping(client).exchange(wanted)
    assert held(client) == before


@pytest.mark.parametrize("condition", ["", "a < 9"])
def test_columns_that_a_build_changed_meanwhile_stay(client: StoreClient, condition: str) -> None:
    before, wanted = held(client), swaps(client, condition)
    client.command("ALTER TABLE swap_live.by_day ADD COLUMN c String")
    act = swapping(client).replace_partitions if condition else swapping(client).exchange
    with pytest.raises(RequestError, match="columns or keys of `swap_live`"):
        act(wanted)
    assert held(client) == before


@pytest.mark.parametrize("at", range(1, 7))
def test_partitions_are_replaced_all_or_none(client: StoreClient, at: int) -> None:
    before, wanted = held(client), swaps(client, "a < 9")
    with pytest.raises(StoreError, match="Refused"):
        swapping(Refusing(client, at, REFUSED)).replace_partitions(wanted)
    assert held(client) == before
    with pytest.raises(QueryTimeout):
        swapping(Refusing(client, at, QueryTimeout())).replace_partitions(wanted)
    assert swapping(client).replace_partitions(wanted) == ""
    assert held(client) == [[[1, 9], [3, 9]]] * 2


def test_partitions_go_back_after_a_stop_in_the_middle_and_a_failure(client: StoreClient) -> None:
    before, wanted = held(client), swaps(client, "a < 9")
    with pytest.raises(QueryTimeout):
        swapping(Refusing(client, 5, QueryTimeout())).replace_partitions(wanted)
    assert held(client) != before
    with pytest.raises(StoreError, match="Refused"):
        swapping(Refusing(client, 2, REFUSED)).replace_partitions(wanted)
    assert held(client) == before
