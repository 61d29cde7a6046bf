"""Row filters: what a token may not see must not show, in rows, in counts or in errors.

Every query runs twice: over tables that hold hidden rows, through a filter, and over twins that never
had them. Whoever asks cannot tell the two apart.
"""

from collections.abc import AsyncGenerator, Generator

import msgspec
import pytest

from playhead.clock import SystemClock
from playhead.config import Config
from playhead.config.file import load
from playhead.errors import PlayheadError, QueryFailed, QueryRefused
from playhead.query.guard.trees import Trees
from playhead.query.pipes.hiding import HIDING, check_hiding
from playhead.query.pipes.resolve import Prepared
from playhead.query.pipes.run import Running, Runs
from playhead.store.client import AsyncStoreClient, Limits
from support.running_store import RunningStore, running_store

WHOLE, TWIN = "whole", "twin"
VISIBLE = "country = 'DE'"
TABLES = {
    "plays": """(id UInt64, day Date, country String, title String, n Int64, price Decimal(18, 2),
        INDEX titles title TYPE set(100) GRANULARITY 1, INDEX numbers n TYPE minmax GRANULARITY 1,
        INDEX words title TYPE tokenbf_v1(512, 3, 0) GRANULARITY 1,
        PROJECTION by_country (SELECT country, sum(n), count() GROUP BY country),
        PROJECTION by_title (SELECT * ORDER BY title))
        ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY n SETTINGS index_granularity = 64""",
    "keyed": """(k String, day Date, n Int64, country String) ENGINE = MergeTree
        PARTITION BY (toYYYYMM(day), country) ORDER BY (k, n) SETTINGS index_granularity = 64""",
    "versions": """(id UInt64, country String, title String, n Int64)
        ENGINE = ReplacingMergeTree ORDER BY (id, country)""",
    "sums": "(country String, title String, n Int64) ENGINE = SummingMergeTree ORDER BY (country, title)",
    "ids": "(id UInt64, country String) ENGINE = MergeTree ORDER BY id",
}
ROWS = {
    "plays": """SELECT number + 1, toDate('2025-01-01'), 'DE', concat('title', toString(number % 7)),
        number % 50, number FROM numbers(3000) UNION ALL
        SELECT number + 9000, toDate('2025-01-01') + number % 32, 'US', 'secret',
        9000000000000000 + number, 9000 FROM numbers(3000)""",
    "keyed": """SELECT toString(number % 50), toDate('2025-01-01') + 90 * (number % 2), number % 50, 'DE'
        FROM numbers(3000) UNION ALL
        SELECT 'secret', toDate('2025-02-01'), 9000000000000000, 'US' FROM numbers(300)""",
    "versions": """SELECT number + 1, 'DE', 'open', number % 50 FROM numbers(3000) UNION ALL
        SELECT number + 1500, 'US', 'secret', 9000000000000000 FROM numbers(3000)""",
    "sums": "SELECT 'DE', 'open', 1 FROM numbers(9) UNION ALL SELECT 'US', 'secret', 666 FROM numbers(9)",
    "ids": "SELECT number, if(number % 3 = 0, 'US', 'DE') FROM numbers(3000)",
}  # fmt: skip
FILTERS = {f"{WHOLE}.{table}": VISIBLE for table in TABLES}
QUERIES = [
    "SELECT * FROM D.plays",
    "SELECT count() FROM D.plays",
    "SELECT count(), min(n), max(n), min(day), max(day) FROM D.plays",
    "SELECT max(day) FROM D.plays",
    "SELECT max(id) FROM D.plays AS p",
    "SELECT country, sum(n), count() FROM D.plays GROUP BY country",
    "SELECT country, sum(n) FROM D.plays GROUP BY country WITH TOTALS",
    "SELECT country, sum(n) FROM D.plays GROUP BY ROLLUP(country)",
    "SELECT DISTINCT title FROM D.plays",
    "SELECT title FROM D.plays ORDER BY n DESC LIMIT 1",
    "SELECT title, n FROM D.plays ORDER BY n DESC, id LIMIT 1 BY title",
    "SELECT uniq(title), uniqExact(n), topK(3)(title), quantile(0.99)(n) FROM D.plays",
    # joins, sub-queries, CTEs, unions
    "SELECT i.id, p.title FROM D.ids i LEFT JOIN D.plays p ON p.id = i.id",
    "SELECT i.id, p.title FROM D.ids i RIGHT JOIN D.plays p ON p.id = i.id",
    "SELECT i.id, p.title FROM D.ids i FULL JOIN D.plays p ON p.id = i.id",
    "SELECT count() FROM D.ids i ANTI JOIN D.plays p ON p.id = i.id",
    "SELECT i.id FROM D.ids i SEMI JOIN D.plays p ON p.id = i.id",
    "SELECT a.id, b.title FROM D.plays a ASOF JOIN D.plays b ON a.id = b.id AND a.n >= b.n",
    "SELECT count() FROM D.sums a CROSS JOIN D.plays b",
    "SELECT count() FROM D.sums a, D.plays b WHERE a.country != b.country",
    "SELECT title FROM (SELECT * FROM (SELECT * FROM D.plays))",
    "WITH c AS (SELECT title, n FROM D.plays) SELECT max(n), count() FROM c",
    "WITH c AS (SELECT title FROM D.plays) SELECT * FROM c UNION ALL SELECT title FROM D.sums",
    "SELECT title FROM D.plays UNION DISTINCT SELECT title FROM D.versions",
    "SELECT title FROM D.plays EXCEPT SELECT title FROM D.sums",
    "SELECT title FROM D.plays INTERSECT SELECT title FROM D.plays",
    "SELECT number FROM numbers(12000) WHERE number IN (SELECT id FROM D.plays)",
    "SELECT number FROM numbers(30) WHERE number IN (SELECT id FROM D.ids)",
    "SELECT number FROM numbers(30) WHERE number GLOBAL NOT IN (SELECT id FROM D.ids)",
    "SELECT number, exists(SELECT 1 FROM D.plays WHERE title = 'secret') FROM numbers(2)",
    "SELECT (SELECT max(title) FROM D.plays), (SELECT count() FROM D.plays)",
    "SELECT has((SELECT groupUniqArray(title) FROM D.plays), 'secret')",
    "SELECT id, (SELECT count() FROM D.plays p WHERE p.n > i.id) FROM D.ids i ORDER BY id LIMIT 5",
    # FINAL, PREWHERE, SAMPLE, windows, arrays
    "SELECT * FROM D.versions FINAL",
    "SELECT count() FROM D.versions FINAL WHERE n > 100",
    "SELECT * FROM D.sums FINAL",
    "SELECT * FROM D.sums FINAL WHERE throwIf(n > 100) = 0",
    "SELECT title FROM D.versions FINAL WHERE throwIf(title = 'secret') = 0",
    "SELECT title, row_number() OVER (ORDER BY id), count() OVER () FROM D.plays",
    "SELECT lagInFrame(title) OVER (ORDER BY id) FROM D.plays",
    "SELECT title FROM D.plays ARRAY JOIN [throwIf(title = 'secret')] AS a",
    "SELECT arrayMap(x -> throwIf(x = 'secret'), groupArray(title)) FROM D.plays",
    # conditions that fail on a hidden row, wherever they stand
    *(f"SELECT title FROM D.plays WHERE {condition}" for condition in (
        "throwIf(title = 'secret') = 0", "throwIf(n > 100) = 0", "throwIf(country = 'US') = 0",
        "throwIf(toYYYYMM(day) = 202502) = 0", "throwIf(day = '2025-02-01') = 0",
        "title != 'secret' AND throwIf(title = 'secret') = 0", "n < 50 AND throwIf(n > 100) = 0",
        "country = 'DE' OR throwIf(title = 'secret')", "NOT ignore(throwIf(title = 'secret'))",
        "intDiv(1, n - 9000000000000001) <= 0", "modulo(1, n - 9000000000000001) >= 0",
        "toUInt64(if(title = 'secret', 'x', '1')) = 1", "toDate(if(n > 100, 'x', '2025-01-01')) > 0",
        "accurateCast(n, 'UInt8') >= 0", "accurateCast(n, 'Int32') + 1 > 0", "n::Decimal(9, 2) >= 0",
        "toDecimal32(n, 2) >= 0", "toDecimal64(n, 9) >= 0", "CAST(n, 'Decimal(9, 2)') >= 0",
        "price * toDecimal64('9999999999999', 2) >= 0", "toDateTime64(n, 9) > toDateTime64(0, 9)",
        "CAST(title, 'FixedString(6)') != ''", "repeat('a', n) != 'b'", "length(range(n)) >= 0",
        "length(arrayResize([1], n)) >= 0", "leftPad('a', n) != ''", "space(n) != 'b'",
        "match('a', if(title = 'secret', '(', 'a'))", ("toUUID(if(n > 100, 'x', "
        "'61f0c404-5cb3-11e7-907b-a6006ad3dba0')) != generateUUIDv4()"),
        "toIPv4(if(n > 100, 'x', '1.1.1.1')) != toIPv4('1.1.1.2')",
        "(n, throwIf(n > 100)) IN ((1, 0), (2, 0))", "n = 1 + throwIf(n > 100)",
        "if(n > 100, throwIf(1), 0) = 0", "multiIf(n > 100, throwIf(n > 100), 0) = 0",
        "coalesce(nullIf(throwIf(n > 100), 1), 0) = 0", "materialize(throwIf(n > 100)) = 0",
        "identity(throwIf(n > 100)) = 0", "arrayExists(x -> throwIf(x > 100) = 1, [n]) = 0",
        "indexHint(throwIf(title = 'secret') = 0)", "indexHint(day = '2025-02-01')",
        "hasToken(title, 'secret') AND throwIf(1) = 0", "tuple(n, throwIf(n > 100)).2 = 0",
        "mapFromArrays([n], arrayResize([1], if(n > 100, 2, 1)))[n] = 1",
        "n IN (SELECT toInt64(throwIf(n > 100)) FROM D.plays)", "n > (SELECT max(n) FROM D.plays) - 1",
        "title = 'secret'", "n > 100", "n BETWEEN 8000000000000000 AND 9100000000000000",
        "day >= '2025-02-01'", "country = 'US'", "1 OR title = 'secret'", "lower(title) LIKE '%ecre%'",
    )),
    *(
        f"SELECT k, n FROM D.keyed WHERE {condition}"
        for condition in (
            "throwIf(toYYYYMM(day) = 202502) = 0",
            "throwIf(country = 'US') = 0",
            "throwIf(k = 'secret') = 0",
            "toUInt64(k) >= 0",
            "toInt8(k) = 1",
            "accurateCast(n, 'UInt8') >= 0 AND k >= ''",
            "k = 'secret' AND throwIf(n > 100) = 0",
            "toUInt64(k) IN (SELECT n FROM D.keyed)",
            "toUInt64(if(country = 'US', 'x', '1')) = 1",
            "day IN (SELECT day FROM D.keyed WHERE throwIf(k = 'secret') = 0)",
        )
    ),
    "SELECT count() FROM D.keyed a JOIN D.keyed b ON toUInt64(a.k) = toUInt64(b.k)",
    "SELECT count() FROM D.keyed a JOIN (SELECT toUInt64(k) z FROM D.keyed) b ON toUInt64(a.k) = b.z",
    "SELECT k FROM (SELECT k, toUInt64(k) AS u FROM D.keyed) WHERE u = 1",
    "SELECT title FROM D.plays GROUP BY title HAVING throwIf(title = 'secret') = 0",
    "SELECT title FROM D.plays QUALIFY throwIf(title = 'secret') = 0",
    "SELECT title FROM D.plays ORDER BY throwIf(title = 'secret'), id LIMIT 1",
    "SELECT throwIf(title = 'secret') FROM D.plays",
    "SELECT sum(throwIf(title = 'secret')) FROM D.plays",
    "SELECT quantileIf(0.5)(n, throwIf(title = 'secret') = 0) FROM D.plays",
    "SELECT count() FROM D.plays GROUP BY throwIf(title = 'secret')",
    "SELECT t FROM (SELECT title, throwIf(n > 100) AS t FROM D.plays) WHERE t = 0",
    "SELECT title FROM (SELECT title FROM D.plays ORDER BY n LIMIT 10) WHERE throwIf(title = 'secret') = 0",
    ("SELECT title FROM (SELECT title FROM D.plays UNION ALL SELECT title FROM D.sums) "
    "WHERE throwIf(title = 'secret') = 0"),
    ("SELECT title, u FROM (SELECT title, sum(n) u FROM D.plays GROUP BY title) "
    "WHERE throwIf(title = 'secret') = 0"),
    ("SELECT title FROM (SELECT title, row_number() OVER (PARTITION BY title) r FROM D.plays) "
    "WHERE throwIf(title = 'secret') = 0"),
    "SELECT p.title FROM D.plays p JOIN D.ids i ON p.id = i.id WHERE throwIf(p.title = 'secret') = 0",
    "SELECT p.title FROM D.ids i LEFT JOIN D.plays p ON p.id = i.id AND throwIf(p.n > 100) = 0",
    ("SELECT count() FROM D.plays a JOIN D.plays b ON accurateCast(a.n, 'UInt8') = accurateCast(b.n, 'UInt8')"
    " AND a.id = b.id"),
    ("SELECT count() FROM D.plays a JOIN (SELECT accurateCast(n, 'UInt8') z, id FROM D.plays) b "
    "ON accurateCast(a.n, 'UInt8') = b.z AND a.id = b.id"),
    "SELECT count() FROM D.plays a JOIN D.ids b ON a.id = b.id AND toUInt64(if(a.n > 100, 'x', '1')) = 1",
    # what a visible row does, it does
    "SELECT throwIf(n = 7) FROM D.plays",
    "SELECT title FROM D.plays WHERE throwIf(n = 7) = 0",
    "SELECT toUInt64(title) FROM D.plays",
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningStore, None, None]:
    with running_store(tmp_path_factory.mktemp("store")) as running:
        for database in (WHOLE, TWIN):
            running.client.command(f"CREATE DATABASE {database}")
            for table, made in TABLES.items():
                running.client.command(f"CREATE TABLE {database}.{table} {made}")
        for table, rows in ROWS.items():
            running.client.command(f"INSERT INTO {WHOLE}.{table} {rows}")
            running.client.command(
                f"INSERT INTO {TWIN}.{table} SELECT * FROM {WHOLE}.{table} WHERE {VISIBLE}"
            )
        yield running


@pytest.fixture(scope="module")
def config(store: RunningStore) -> Config:
    return load(overrides={"data.dir": str(store.data)}).config


@pytest.fixture
async def client(store: RunningStore) -> AsyncGenerator[AsyncStoreClient, None]:
    opened = AsyncStoreClient(store.location, database=WHOLE)
    yield opened
    await opened.close()


@pytest.fixture
def runs(client: AsyncStoreClient, config: Config) -> Runs:
    return Runs(client, config, SystemClock())


async def told(runs: Runs, query: str, database: str, format_: str = "TabSeparated") -> object:
    """What a query says: its lines, sorted, or its error."""
    running = Running(format=format_, filters=FILTERS if database == WHOLE else {"twin.none": "1"})
    try:
        answered = await runs.answer(Prepared(sql=query.replace("D.", database + ".")), running)
    except PlayheadError as error:
        return error.message
    return sorted(answered.body.splitlines()), answered.rows_read, answered.bytes_read


@pytest.mark.parametrize("query", QUERIES)
async def test_hidden_rows_make_no_difference(runs: Runs, query: str) -> None:
    seen = await told(runs, query, WHOLE)
    assert seen == await told(runs, query, TWIN)
    assert "secret" not in str(seen)


@pytest.mark.parametrize("query", QUERIES[:3])
async def test_the_counts_of_an_answer_tell_nothing(runs: Runs, query: str) -> None:
    sql = query.replace("D.", WHOLE + ".") + " LIMIT 2"
    answered = await runs.answer(Prepared(sql=sql), Running(format="JSON", filters=FILTERS))
    said = msgspec.json.decode(answered.body)
    assert (said["statistics"]["rows_read"], said["statistics"]["bytes_read"]) == (0, 0)
    assert said.get("rows_before_limit_at_least", 0) <= 3000


async def test_an_error_of_a_visible_row_is_told_without_its_words(runs: Runs) -> None:
    said = str(await told(runs, "SELECT throwIf(n = 7, 'look: ' || 'x') FROM D.plays", WHOLE))
    assert "395" in said
    assert "look" not in said


async def test_a_table_by_another_s_name_would_take_its_filter(client: AsyncStoreClient) -> None:
    """Why aliases are looked at: the engine looks for a table's condition by its alias too."""
    query = f"SELECT uniq(title) FROM {WHOLE}.plays AS `{WHOLE}.ids`"
    limits = Limits(row_filters={f"{WHOLE}.ids": "1", f"{WHOLE}.plays": VISIBLE})
    answered = await client.answer(query, format="TSV", limits=limits, settings=HIDING)
    assert answered.body == b"8\n"  # seven titles and the hidden one
    tree = await Trees(client, entries_max=10).parse(query)
    with pytest.raises(QueryRefused):
        check_hiding(tree, [f"{WHOLE}.ids", f"{WHOLE}.plays"])


@pytest.mark.parametrize(
    "query",
    [
        "SELECT _part FROM plays", "SELECT p._partition_id FROM plays p",
        "SELECT 1 FROM plays WHERE throwIf(tupleElement(_partition_value, 1) = 202502) = 0",
        "SELECT max(_part_offset) FROM plays", "SELECT `_block_number` FROM (SELECT * FROM plays)",
    ],
)  # fmt: skip
async def test_columns_of_whole_parts_are_refused(client: AsyncStoreClient, query: str) -> None:
    tree = await Trees(client, entries_max=10).parse(query)
    with pytest.raises(QueryRefused, match="hidden"):
        check_hiding(tree, [])


async def test_one_run_alone_would_tell(client: AsyncStoreClient) -> None:
    """Why a failed query runs again: an index is asked before the filter is."""
    query = f"SELECT title FROM {WHOLE}.plays WHERE throwIf(title = 'secret') = 0"
    with pytest.raises(QueryFailed):
        await client.answer(
            query, format="TSV", limits=Limits(row_filters=FILTERS), settings=HIDING
        )
