import pytest

from playhead.project.findings import Findings
from playhead.project.include import INCLUDES_MAX, Expansion
from playhead.project.lines import lines_of
from playhead.project.problem import Unreadable


def expanded(text: str, files: dict[str, str]) -> tuple[list[str], Findings]:
    findings = Findings("a/x.pipe")
    found = Expansion(lines_of(text, "a/x.pipe"), files.get, findings)
    return [f"{line.file}:{line.number} {line.text}" for line in found.lines()], findings


def test_paths_count_from_the_file_that_includes() -> None:
    files = {"b/y.incl": "INCLUDE c/z.incl", "b/c/z.incl": "deep"}
    lines, findings = expanded("top\nINCLUDE ../b/y.incl\nend", files)
    assert lines == ["a/x.pipe:1 top", "b/c/z.incl:1 deep", "a/x.pipe:3 end"]
    assert findings.checked() == ()


def test_values_of_an_include_hold_in_its_file_only() -> None:
    files = {"a/y.incl": "$k ${k}x $other", "a/z.incl": "$k"}
    lines, _ = expanded("INCLUDE y.incl k=1\nINCLUDE z.incl", files)
    assert lines == ["a/y.incl:1 1 1x $other", "a/z.incl:1 $k"]


@pytest.mark.parametrize(
    "text", ["INCLUDE y.incl k", "INCLUDE y.incl\n" * (INCLUDES_MAX + 1), "INCLUDE  # x"]
)
def test_wrong_and_too_many_includes_are_errors(text: str) -> None:
    lines, findings = expanded(text, {"a/y.incl": "x"})
    assert len(lines) <= INCLUDES_MAX + 1
    with pytest.raises(Unreadable, match=r"INCLUDE takes|too often"):
        findings.checked()


def test_what_doubles_itself_ends() -> None:
    files = {f"a/{n}.incl": f"INCLUDE {n + 1}.incl k=$k$k\n" * 2 for n in range(20)}
    _, findings = expanded("INCLUDE 0.incl k=" + "x" * 1000, files)
    with pytest.raises(Unreadable, match=r"too often|longer than"):
        findings.checked()
