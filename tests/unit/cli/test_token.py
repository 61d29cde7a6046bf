from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from playhead.access import Tokens
from playhead.build.manifest import Built, write_live
from playhead.cli.token import command
from playhead.clock import SystemClock
from playhead.project.manifest import Manifest


@pytest.mark.parametrize("words", [["ls"], ["rm", "0123"]])
def test_a_mistyped_data_folder_is_said_and_not_made(tmp_path: Path, words: list[str]) -> None:
    folder = tmp_path / "nowhere"
    result = CliRunner().invoke(command, [*words, "--data", str(folder)])
    assert result.exit_code == 1
    assert "There is no Playhead data in" in result.output
    assert not folder.exists()


def test_a_token_may_be_made_before_the_first_start(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = CliRunner().invoke(command, ["create", "--name", "dashboard", "--data", str(folder)])
    assert made.stdout.startswith("ph_read_")
    assert str(folder) in made.stderr
    assert "dashboard" in CliRunner().invoke(command, ["ls", "--data", str(folder)]).output


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [*words, "--data", str(folder)])


def test_a_token_with_scopes_is_made_listed_and_refreshed(tmp_path: Path) -> None:
    scopes = ["--scope", "PIPES:READ:top", "--scope", "DATASOURCES:READ:plays:country = 'DE'"]
    made = run(tmp_path, "create", "--name", "wall", *scopes, "--rps", "5")
    assert made.stdout.startswith("ph_scoped_")
    listed = run(tmp_path, "ls").output
    assert "PIPES:READ:top  DATASOURCES:READ:plays:country = 'DE'" in listed
    assert made.stdout.strip() not in listed
    fresh = run(tmp_path, "refresh", "wall").stdout
    assert fresh.startswith("ph_scoped_")
    assert fresh != made.stdout


def test_a_scope_of_what_the_live_project_lacks_is_said(tmp_path: Path) -> None:
    files = {
        "pipes/top.pipe": "NODE n\nSQL >\n    SELECT 1\n",
        "plays.datasource": "SCHEMA >\n a Int8\n",
    }
    write_live(tmp_path, Manifest(files=files), Built())
    scopes = ("PIPES:READ:top", "DATASOURCES:READ:plays", "DATASOURCES:READ:playhead.views")
    known = [word for scope in scopes for word in ("--scope", scope)]
    assert "warning" not in run(tmp_path, "create", "--name", "a", *known).stderr
    made = run(tmp_path, "create", "--name", "b", "--scope", "PIPES:READ:topp")
    assert made.stdout.startswith("ph_scoped_")
    assert "no pipe 'topp'; the token is made all the same. Did you mean 'top'?" in made.stderr


def test_a_jwt_is_signed_for_the_workspace(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "access.db", SystemClock())
    tokens.ensure_admin(tmp_path)
    words = ["--scope", "PIPES:READ:top", "--param", "org=7", "--expires", "5m", "--rps", "3"]
    made = run(tmp_path, "jwt", *words)
    grant = tokens.resolve(made.stdout.strip())
    assert grant is not None
    assert (grant.fixed_params("top"), grant.rps) == ({"org": "7"}, 3)
    assert run(tmp_path, "workspace").stdout.strip() == tokens.workspace_id
    tokens.close()


@pytest.mark.parametrize(
    "words",
    [
        ["create", "--scope", "NO:SUCH", "--name", "a"], ["create", "--scope", "TOKENS"],
        ["create", "--scope", "TOKENS", "--kind", "read", "--name", "a"], ["create", "--rps", "3"],
        ["jwt", "--scope", "ADMIN"], ["jwt", "--scope", "PIPES:READ:p", "--param", "a"], ["jwt"],
        ["jwt", "--scope", "PIPES:READ:p", "--expires", "soon"], ["refresh", "nobody"],
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(tmp_path: Path, words: list[str]) -> None:
    Tokens(tmp_path / "access.db", SystemClock()).close()
    result = run(tmp_path, *words)
    assert result.exit_code in {1, 2}
    assert result.output.startswith("playhead: ")
