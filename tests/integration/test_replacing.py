"""Replacing: readers see the old rows or the new ones, and appends keep their place in the log."""

import threading
import time
from collections.abc import Iterator

import pytest

from support.importing import BY_COUNTRY, FILES, Importing, line, text
from support.server import Server

pytestmark = pytest.mark.slow
LIMITS = {"PLAYHEAD_JOBS__IMPORT_CHUNK_BYTES": "65536"}
SECOND = FILES["pipes/fill_country.pipe"].replace("FROM plays", "FROM others")


@pytest.fixture(scope="module")
def importing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Importing]:
    with Server(tmp_path_factory.mktemp("replacing"), env=LIMITS) as server:
        made = Importing(server)
        made.build()
        yield made


@pytest.fixture(autouse=True)
def some(importing: Importing) -> None:
    for name in ("plays", "by_month", "by_country"):
        importing.ended(importing.post(f"/v0/datasources/{name}/truncate").json()["id"])
    job = importing.loaded(
        text(range(100), "DE", 1) + "".join(line(n, "US", 2) for n in range(100, 200))
    )
    assert job["rows"] == 200


def replaced(importing: Importing, content: str, **params: str) -> dict[str, object]:
    query = {"name": "plays", "mode": "replace", "format": "csv", **params}
    return importing.ended(importing.send("/v0/datasources", content, params=query))


def test_all_rows_are_replaced_and_what_views_made_of_them(importing: Importing) -> None:
    job = replaced(importing, text(range(1_000, 4_000), "FR", 3))
    assert job["status"] == "done", job
    assert importing.rows() == [3_000, 3_000, sum(range(1_000, 4_000))]
    assert importing.sql("SELECT country, sum(plays) FROM by_country GROUP BY 1") == [["FR", 3_000]]
    assert importing.plays() == (3_000, 3_000)
    assert importing.loaded(text(range(5)))["rows"] == 5
    assert importing.plays() == (3_005, 3_005)  # the views follow the new table


def test_what_is_appended_meanwhile_goes_or_stays_as_the_log_says(importing: Importing) -> None:
    seen: set[int] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.add(int(importing.one("SELECT countIf(country != 'XX') FROM plays")))

    looking = threading.Thread(target=look)
    looking.start()
    job = importing.send(
        "/v1/datasources/plays/replace?format=csv", text(range(1_000, 9_000), "FR")
    )
    for number in range(20):
        rows = f'{{"id":{50_000 + number},"title":"","at":"2024-01-01 00:00:00","seconds":0,"country":"XX"}}'
        assert importing.post("/v0/events?name=plays", content=rows).status_code in {200, 202}
    assert importing.ended(job)["status"] == "done"
    over.set()
    looking.join()
    importing.server.wait_until_stored()
    assert seen <= {200, 8_000}
    kept = importing.sql("SELECT id FROM plays WHERE country = 'XX' ORDER BY id")
    assert kept == [[50_000 + n] for n in range(20 - len(kept), 20)]  # the newest of them
    assert importing.plays() == (8_000 + len(kept), 8_000 + len(kept))


def test_some_partitions_are_replaced(importing: Importing) -> None:
    condition = "toYYYYMM(at) = 202401"
    refused = replaced(importing, text(range(5), "FR", 1), replace_condition=condition)
    assert refused["status"] == "error"
    assert "by_country" in str(refused["error"])
    new = text(range(1_000, 1_010), "FR", 1) + line(5_000, "FR", 5)
    job = replaced(
        importing, new, replace_condition=condition, skip_incompatible_partition_key="true"
    )
    assert job["status"] == "done", job
    assert importing.sql("SELECT country, count() FROM plays GROUP BY 1 ORDER BY 1") == [
        ["FR", 10],
        ["US", 100],
    ]
    assert importing.plays() == (200, 110)  # one follows, one was left as it is


def test_a_condition_that_is_not_about_whole_partitions_changes_nothing(
    importing: Importing,
) -> None:
    before = importing.rows()
    job = replaced(
        importing,
        text(range(5)),
        replace_condition="id < 50",
        skip_incompatible_partition_key="true",
    )
    assert (job["status"], importing.rows()) == ("error", before)
    assert "not about" in str(job["error"])
    again = importing.post(f"/v0/jobs/{job['id']}/retry").json()
    assert importing.ended(again["id"])["status"] == "error"
    assert importing.rows() == before


def test_a_failed_or_cancelled_replacement_leaves_everything(importing: Importing) -> None:
    before = (importing.rows(), importing.plays())
    bad = replaced(importing, text(range(5)) + '"' + "x" * 10_000_000)
    assert (bad["status"], importing.rows(), importing.plays()) == ("error", *before)
    job = importing.send("/v1/datasources/plays/replace?format=csv", text(range(40_000)))
    importing.post(f"/v0/jobs/{job}/cancel")
    if importing.ended(job)["status"] == "cancelled":
        assert (importing.rows(), importing.plays()) == before
        importing.post(f"/v0/jobs/{job}/retry")
    assert importing.ended(job)["status"] == "done"
    assert importing.rows() == [40_000, 40_000, sum(range(40_000))]
    assert importing.ended(job)["rows"] == 40_000


def test_a_target_that_others_fill_too_is_no_target_to_replace(importing: Importing) -> None:
    others = {"datasources/others.datasource": FILES["datasources/plays.datasource"],
              "datasources/by_country.datasource": BY_COUNTRY, "pipes/fill_others.pipe": SECOND}  # fmt: skip
    importing.build({**FILES, **others})
    before = importing.rows()
    job = replaced(importing, text(range(5)))
    importing.build()
    assert (job["status"], importing.rows()) == ("error", before)
    assert "filled from 'others'" in str(job["error"])


def test_a_build_waits_for_a_replacement(importing: Importing) -> None:
    """The new table is made like the live one: a column that a build adds would be gone again."""
    job = importing.send("/v1/datasources/plays/replace?format=csv", text(range(40_000)))
    longer = FILES["datasources/plays.datasource"].replace(
        "    id UInt32,\n", "    id UInt32,\n    more String DEFAULT 'm',\n"
    )
    until = time.monotonic() + 10
    while importing.job(job)["status"] == "waiting" and time.monotonic() < until:
        time.sleep(0.01)
    importing.build({**FILES, "datasources/plays.datasource": longer})
    assert importing.job(job)["status"] == "done"
    assert importing.sql("SELECT count(), any(more) FROM plays") == [[40_000, "m"]]
    importing.ended(importing.post("/v0/datasources/plays/truncate").json()["id"])
    importing.build()
