"""The screen of pipes shows what the API answers: endpoints, data sources, SQL, quarantine."""

from typing import Any

import pytest
from playwright.async_api import expect

from e2e.dashboard.look import Look, number
from e2e.dashboard.stock import Stock

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


def asked(stock: Stock, path: str, **params: Any) -> Any:
    """Return an answer of the API that is not wrapped in `data` and `meta`."""
    return stock.server.get(path, **params)


async def test_pipes_are_listed(look: Look, stock: Stock) -> None:
    await look.open("pipes")
    rows = await look.csv("Endpoints and other pipes")
    pipes = asked(stock, "/v0/pipes")["pipes"]
    assert {(row["Name"], row["Kind"]) for row in rows} == {
        (one["name"], one["type"]) for one in pipes
    }


def published(stock: Stock) -> str:
    """Publish an endpoint that has rows; return its name."""
    sql = "SELECT cdn, count() AS views, max(video_title) AS title FROM playhead.views FINAL GROUP BY cdn"
    answer = stock.server.http.post(
        f"{stock.server.url}/v0/pipes", json={"name": "views_of_cdns", "sql": f"{sql} ORDER BY cdn"},
        params={"replace": "true"}, headers={"Authorization": f"Bearer {stock.server.token}"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return "views_of_cdns"


async def test_an_endpoint_answers_the_same(look: Look, stock: Stock) -> None:
    name = published(stock)
    told = asked(stock, f"/v0/pipes/{name}.json")
    await look.open(f"pipes/{name}")
    await look.page.get_by_role("button", name="Run", exact=True).click()
    panel = look.panel("Answer")
    await expect(panel.locator("[data-rows]")).to_be_visible()
    assert await panel.locator("[data-rows]").get_attribute("data-rows") == str(told["rows"])
    saved = await look.csv("Answer")
    assert len(saved) == told["rows"] > 0
    for row, one in zip(saved, told["data"], strict=True):
        for name, value in one.items():
            expected = value if isinstance(value, str) else number(str(value))
            assert (row[name] if isinstance(value, str) else number(row[name])) == expected


async def test_data_sources(look: Look, stock: Stock) -> None:
    await look.open("pipes", tab="sources")
    rows = await look.csv("Data sources")
    told = asked(stock, "/v0/datasources", playhead="true")["datasources"]
    assert {(row["Name"], number(row["Rows"]), number(row["In quarantine"])) for row in rows} == {
        (one["name"], one["statistics"]["row_count"], one["quarantine_rows"]) for one in told
    }


async def test_sql(look: Look, stock: Stock) -> None:
    query = "SELECT cdn, count() AS many FROM playhead.views FINAL GROUP BY cdn ORDER BY cdn"
    await look.open("pipes", tab="sql", q=query)
    await look.page.get_by_role("button", name="Run", exact=True).click()
    answer = look.page.locator("[data-rows]")
    await expect(answer).to_be_visible()
    told = asked(stock, "/v0/sql", q=f"{query} FORMAT JSON")
    cells = await answer.locator("tbody tr").evaluate_all(
        "all => all.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
    )
    assert [row[0] for row in cells] == [one["cdn"] for one in told["data"]]
    digits = ["".join(filter(str.isdigit, row[1])) for row in cells]
    assert digits == [str(one["many"]) for one in told["data"]]


async def test_what_the_guard_refuses_is_told(look: Look) -> None:
    await look.open("pipes", tab="sql", q="DROP TABLE playhead.views")
    await look.page.get_by_role("button", name="Run", exact=True).click()
    await expect(look.page.locator(".problem").first).to_be_visible()
    assert "undefined" not in await look.page.locator("main").inner_text()


async def test_quarantine(look: Look, stock: Stock) -> None:
    await look.open("pipes", tab="quarantine")
    told = stock.server.get("/v1/quarantine", retried="no", **{"from": "-7d"})["data"]
    rows = await look.csv("Rows")
    assert [(row["Id"], row["Reason"], row["Message"], row["Body"]) for row in rows] == [
        (one["id"], one["code"], one["message"], one["body"]) for one in told
    ]
    reasons = stock.server.get("/v1/quarantine/reasons", retried="no", **{"from": "-7d"})["data"]
    counted = await look.csv("Reasons")
    assert [(row["Door"], row["Reason"], int(row["Rows"])) for row in counted] == [
        (one["door"], one["code"], one["count"]) for one in reasons
    ]
