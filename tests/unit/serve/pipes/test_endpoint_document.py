import pytest

from playhead.project.resources import Pipe
from playhead.serve.pipes.endpoint_document import document, schema_of
from playhead.template.rendering import Parameter


@pytest.mark.parametrize(
    ("parameter", "schema"),
    [
        (Parameter(name="a", type="Int32", default=5, has_default=True), {"type": "integer", "default": 5}),
        (Parameter(name="a", type="UInt64"), {"type": "integer"}),
        (Parameter(name="a", type="Float64"), {"type": "number"}),
        (Parameter(name="a", type="Boolean"), {"type": "boolean"}),
        (Parameter(name="a", type="Date"), {"type": "string", "format": "date"}),
        (Parameter(name="a", type="DateTime64"), {"type": "string", "format": "date-time"}),
        (Parameter(name="a", enum=("x", "y")), {"type": "string", "enum": ["x", "y"]}),
        (Parameter(name="a", type="Array", item_type="Int32"), {"type": "array", "items": {"type": "integer"}}),
        (Parameter(name="a", type="Array", enum=("x",)), {"type": "array", "items": {"type": "string", "enum": ["x"]}}),
        (Parameter(name="a", type="column"), {"type": "string"}),
    ],
)  # fmt: skip
def test_parameters_are_typed(parameter: Parameter, schema: dict[str, object]) -> None:
    assert schema_of(parameter) == schema


def test_an_endpoint_is_a_path() -> None:
    pipe = Pipe(name="top", path="top.pipe", description="Top.\nMore.", tags=("a",))
    made = document([(pipe, (Parameter(name="n", required=True, description="How many."),))])
    said = made["paths"]["/v0/pipes/top.json"]["get"]
    assert (said["summary"], said["operationId"]) == ("Top.", "top")
    assert said["parameters"][0] == {
        "name": "n", "in": "query", "required": True, "schema": {"type": "string"},
        "description": "How many.",
    }  # fmt: skip
