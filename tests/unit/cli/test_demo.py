import pytest
from click.testing import CliRunner

from playhead.cli.demo import command


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--incident", "cdn=aurorra,after=5s", "there is no CDN 'aurorra'; use aurora,"),
        ("--incident", "later", "'later' is no part of an incident"),
        ("--backfill", "3x", "'3x' is no duration"),
        ("--backfill", "1h", "'1h' is no time to fill"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_starts(
    option: str, text: str, said: str
) -> None:
    result = CliRunner().invoke(command, [option, text])
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_help_names_the_demo_folder() -> None:
    assert "default: demo-data" in CliRunner().invoke(command, ["--help"]).output
