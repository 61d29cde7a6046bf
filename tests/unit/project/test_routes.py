from pathlib import Path

import pytest

from playhead.errors import ProjectInvalid
from playhead.project.resources import Column, Datasource
from playhead.project.routes import SHAPES_MAX, Route, Routes, Shape, read_routes, routes_json
from playhead.project.rows import RowReader


def source(*types: str) -> Datasource:
    columns = tuple(Column(name=f"c{at}", type=kind) for at, kind in enumerate(types))
    return Datasource(name="plays", path="plays.datasource", columns=columns)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    reader = RowReader(source("String", "UInt8"))
    shape = reader.shape("d1", "project")
    routes = Routes().with_shape("plays", reader.shape_id, shape)
    (tmp_path / "routes.json").write_text(routes_json(routes))
    assert read_routes(tmp_path / "routes.json") == routes
    assert shape.routes == (Route(database="d1", table="plays"),)
    assert shape.refused_into == Route(database="project", table="plays_quarantine")


def test_a_newer_version_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text('{"version":2}')
    with pytest.raises(ProjectInvalid, match="Build the project again"):
        read_routes(tmp_path / "routes.json")


def test_other_columns_are_another_shape() -> None:
    ids = {
        RowReader(source(*types)).shape_id for types in (("String",), ("UInt8",), ("UInt8", "Date"))
    }
    assert len(ids) == 3
    assert RowReader(source("String")).shape_id in ids


def test_the_oldest_shapes_go_first() -> None:
    routes = Routes()
    for number in range(SHAPES_MAX + 3):
        shape = Shape(columns=("a",), types=("String",), format="JSONCompactEachRow")
        routes = routes.with_shape("plays", str(number), shape)
    routes = routes.with_shape("plays", "5", routes.sources["plays"]["5"])
    assert routes.shape("plays", "2") is None
    assert list(routes.sources["plays"])[-1] == "5"
