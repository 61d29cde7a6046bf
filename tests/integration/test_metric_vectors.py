"""Rows in, numbers out: every metric and measurement over a real store process."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from playhead.query.catalogue import Metric, catalogue
from support.answering import Answering, answering
from support.metric_vectors import Vector, insert_all, vectors
from support.running_store import running_store

VECTORS = vectors()
METRICS = catalogue().metrics


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Answering, None]:
    """One app over one store for all vectors: their rows lie under properties of their own."""
    with running_store(tmp_path_factory.mktemp("store")) as store:
        insert_all(store)
        async with answering(store, tmp_path_factory.mktemp("app"), emptied=False) as app:
            yield app


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("number", "vector"),
    [*enumerate(VECTORS)],
    ids=[f"{one.metric}-{number}" for number, one in enumerate(VECTORS)],
)
async def test_a_metric_is_what_its_definition_says(
    filled: Answering, number: int, vector: Vector
) -> None:
    found = {
        measurement: (
            await filled.data(
                f"/v1/metrics/{vector.metric}/overall",
                measurement=measurement, filters=f"property:v{number}",
            )
        )["value"]
        for measurement in vector.gives
    }  # fmt: skip
    assert found == pytest.approx(vector.gives, rel=0.011, abs=1e-4)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("metric", "dimension"),
    [
        (metric, dimension)
        for metric in ("rendition_playing_time", "rendition_views", "media_requests")
        for dimension in catalogue().dimensions_of(METRICS[metric].source)
    ],
)
async def test_every_dimension_groups_and_filters(
    filled: Answering, metric: str, dimension: str
) -> None:
    whole = await filled.data(f"/v1/metrics/{metric}/overall")
    path = f"/v1/metrics/{metric}/breakdown"
    rows = await filled.data(path, group_by=dimension, limit=1000)
    if metric != "rendition_views":
        assert sum(row["value"] for row in rows) == pytest.approx(whole["value"])
    first = rows[0]
    again = await filled.data(
        path, group_by=dimension, filters=[f"{dimension}:{first['group']}", "bot:false"]
    )
    assert again == [first]


@pytest.mark.asyncio(loop_scope="module")
async def test_time_by_rendition_adds_up_and_knows_what_was_shown(filled: Answering) -> None:
    number = next(n for n, one in enumerate(VECTORS) if one.metric == "rendition_playing_time")
    rows = await filled.data(
        "/v1/metrics/rendition_playing_time/breakdown",
        group_by="rendition", filters=f"property:v{number}", order="value:desc",
    )  # fmt: skip
    assert {row["group"]: row["value"] for row in rows} == {
        "720p 3000 kbit/s": 6000, "360p 1000 kbit/s": 2000, "": 2000,
    }  # fmt: skip
    whole = await filled.data("/v1/metrics/rendition_playing_time/overall")
    by_cdn = await filled.data("/v1/metrics/rendition_playing_time/breakdown", group_by="cdn")
    assert sum(row["value"] for row in by_cdn) == whole["value"]


@pytest.mark.asyncio(loop_scope="module")
async def test_requests_are_told_apart_by_what_became_of_them(filled: Answering) -> None:
    number = next(n for n, one in enumerate(VECTORS) if one.metric == "media_requests")
    asked = {"filters": f"property:v{number}"}
    path = "/v1/metrics/media_requests/breakdown"
    outcomes = await filled.data(path, group_by="outcome", **asked)
    classes = await filled.data(path, group_by="status_class", **asked)
    assert {row["group"]: row["value"] for row in outcomes} == {
        "completed": 2, "failed": 3, "canceled": 1,
    }  # fmt: skip
    assert {row["group"]: row["value"] for row in classes} == {
        "2xx": 2, "none": 2, "5xx": 1, "": 1,
    }  # fmt: skip


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("metric", ["media_requests", "rendition_views"])
async def test_a_bound_token_sees_its_property_only(filled: Answering, metric: str) -> None:
    own = next(f"v{n}" for n, one in enumerate(VECTORS) if one.metric == metric)
    path = f"/v1/metrics/{metric}/breakdown"
    bound = filled.token("read", own)
    seen = (await filled.get(path, token=bound, group_by="property")).json()["data"]
    everything = await filled.data(path, group_by="property")
    assert [row["group"] for row in seen] == [own]
    assert len(everything) > 1


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_measurement_has_a_vector(metric: Metric) -> None:
    own = {*(metric.measurements or metric.allowed()), *metric.variants}
    given = {name for one in VECTORS if one.metric == metric.id for name in one.gives}
    assert own - given == set()
