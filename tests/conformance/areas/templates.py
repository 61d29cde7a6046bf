"""The language of templates: a text, what a request holds, and the SQL or the refusal that comes of it.

Keys: `template`; `params`, `secrets`, `job_timestamp`; `check: true` for check mode. Expected, one or more of:
`sql` (exact), `error` (exact), `error_has` (part of it), `answer` with `status`, `parameters` (names in order),
`types` (name: type), `warns` (part of a warning), `steps_max`, `bytes_max` (limits to render with).
"""

from typing import Any

from playhead.template.rendering import (
    CustomRefusal,
    Inputs,
    Rendered,
    TemplateInvalid,
    TemplateRefused,
)
from playhead.template.template import Template


def run(case: dict[str, Any]) -> None:
    try:
        template = Template.compile(case["template"], name=case.get("node", "endpoint"))
        _look(case, template)
        rendered = _rendered(case, template)
    except CustomRefusal as refusal:
        _answered(case, refusal)
    except (TemplateInvalid, TemplateRefused) as refusal:
        _refused(case, refusal.message)
    else:
        assert not {"error", "error_has", "answer"} & case.keys(), rendered.sql
        assert rendered.sql == case.get("sql", rendered.sql)


def _answered(case: dict[str, Any], refusal: CustomRefusal) -> None:
    assert refusal.answer == case.get("answer")
    assert refusal.answer_status == case.get("status")


def _look(case: dict[str, Any], template: Template) -> None:
    if "parameters" in case:
        assert [one.name for one in template.parameters] == case["parameters"]
    if "types" in case:
        assert {one.name: one.type for one in template.parameters} == case["types"]
    if "warns" in case:
        assert any(case["warns"] in warning for warning in template.warnings)


def _rendered(case: dict[str, Any], template: Template) -> Rendered:
    secrets = case.get("secrets", {})
    if case.get("check"):
        return template.check(secrets=secrets)
    inputs = Inputs(
        params=case.get("params", {}), secrets=secrets, job_timestamp=case.get("job_timestamp")
    )
    limits = {key: case[key] for key in ("steps_max", "bytes_max") if key in case}
    return template.render(inputs, **limits)


def _refused(case: dict[str, Any], message: str) -> None:
    assert "error" in case or "error_has" in case, message
    if "error" in case:
        assert message == case["error"]
    assert case.get("error_has", "") in message
