from playhead.project.folder import read_texts
from playhead.query.pipes.parameters import Parameters
from playhead.query.pipes.texts import Bounds, Templates
from playhead.query.pipes.workspace import Namespace, Place, Workspace

FILES = {
    "below.pipe": "NODE n\nSQL >\n    % SELECT {{String(title, 'a', description='Which.')}}, "
    "{{Int32(page, 0)}}\n",
    "above.pipe": "NODE a\nSQL >\n    % SELECT * FROM below WHERE {{String(title)}} = ''\n"
    "NODE b\nSQL >\n    SELECT * FROM a\nTYPE endpoint\n",
    "broken.pipe": "NODE n\nSQL >\n    % SELECT {% if x %}\n",
}


def made() -> tuple[Namespace, Parameters]:
    names = Namespace(Workspace(project=read_texts(FILES)))
    return names, Parameters(names, Templates(names, Bounds()))


def test_parameters_of_what_is_read_are_its_own() -> None:
    names, parameters = made()
    pipe = names.pipe("above")
    assert pipe is not None
    found = {one.name: one for one in parameters.of_pipe(pipe)}
    assert list(found) == ["title", "page"]
    assert found["title"].description == "Which."


def test_a_template_that_cannot_be_compiled_has_none() -> None:
    _, parameters = made()
    assert parameters.of_node(Place("broken", 0)) == ()
    assert parameters.reads(Place("above", 1)) == (Place("above", 0),)
