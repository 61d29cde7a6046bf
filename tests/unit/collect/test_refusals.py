import pytest

from playhead.collect.refusals import KEPT_MAX, Refusals, Refused, field_in


def refused(at: int) -> Refused:
    return Refused(at, "telemetry", "site", "invalid_event", "A sentence.", "")


def test_the_last_hundred_are_kept_newest_first() -> None:
    refusals = Refusals()
    for at in range(KEPT_MAX + 5):
        refusals.note(refused(at))
    recent = refusals.recent()
    assert len(recent) == KEPT_MAX
    assert (recent[0].at, recent[-1].at) == (KEPT_MAX + 4, 5)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Expected `int`, got `str` - at `$.quality.bitrateKbps`", "quality.bitrateKbps"),
        ("Object missing required field `eventType`", "eventType"),
        ("An event must be a JSON object.", ""),
    ],
)
def test_the_field_at_fault_is_named(message: str, field: str) -> None:
    assert field_in(message) == field
