"""Cases of the functions of templates: a template, parameters, and the SQL or the error.

Keys: template, params, secrets, job_timestamp, check (check mode); then sql, bound, directives — or
error (the whole sentence), error_has (parts of it), or answer and status of custom_error().
"""

from typing import Any

import msgspec

from playhead.errors import PlayheadError
from playhead.template.rendering import CustomRefusal, Inputs, Rendered
from playhead.template.template import Template


def run(case: dict[str, Any]) -> None:
    found = outcome(case)
    wanted: dict[str, Any] = {key: case[key] for key in ("sql", "answer", "status") if key in case}
    if "sql" in case:
        wanted |= {"bound": case.get("bound", {}), "directives": case.get("directives", {})}
    if "error_has" in case:
        assert all(part in found["error"] for part in case["error_has"]), found
    else:
        assert found == (wanted or {"error": case["error"]})


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    try:
        made = rendered(case)
    except CustomRefusal as refusal:
        return {"answer": refusal.answer, "status": refusal.answer_status}
    except PlayheadError as error:
        return {"error": error.message}
    asked = msgspec.json.decode(msgspec.json.encode(made.directives))
    directives = {key: value for key, value in asked.items() if value}
    return {"sql": made.sql, "bound": made.bound, "directives": directives}


def rendered(case: dict[str, Any]) -> Rendered:
    template = Template.compile(case["template"], name="node")
    if case.get("check"):
        return template.check(secrets=case.get("secrets", {}))
    inputs = Inputs(
        params=case.get("params", {}),
        secrets=case.get("secrets", {}),
        job_timestamp=case.get("job_timestamp"),
    )
    return template.render(inputs)
