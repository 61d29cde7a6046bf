import pytest

from playhead.template import names
from playhead.template.rendering import TemplateInvalid


@pytest.mark.parametrize("name", ["format", "q"])
def test_names_no_request_can_send_are_refused(name: str) -> None:
    with pytest.raises(TemplateInvalid, match=f"cannot be called '{name}'"):
        names.refuse(["device", name])
    names.refuse(["device", f"{name}_value", name.upper()])


def test_names_a_request_uses_warn_once() -> None:
    said = names.warnings(["token", "device", "__tb__semver", "token"])
    assert [one.split("'")[1] for one in said] == ["token", "__tb__semver"]
    assert names.warnings(["device"]) == ()
