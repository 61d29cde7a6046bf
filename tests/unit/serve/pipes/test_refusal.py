import msgspec

from playhead.errors import NotFound
from playhead.serve.pipes.refusal import refusal


def hint_of(error: NotFound) -> str:
    return str(msgspec.json.decode(bytes(refusal(error).body))["hint"])


def test_what_is_not_found_leads_to_the_pipes_unless_it_has_a_hint_of_its_own() -> None:
    assert hint_of(NotFound()) == "Check the spelling; GET /v0/pipes lists the pipes."
    assert hint_of(NotFound("None.", hint="Look there.")) == "Look there."
