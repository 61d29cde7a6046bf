"""`playhead fmt [--check] FILE…`: data files checked, and written in one form."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from playhead.build.templates import faults
from playhead.project.datafile import meaning, read_data_file
from playhead.project.folder import data_files, is_inside
from playhead.project.format import formatted
from playhead.project.problem import Problem, Unreadable
from playhead.project.reading import FILE_BYTES_MAX
from playhead.project.resources import Pipe

_NEW: Final = ".playhead-new"


@click.command(name="fmt")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a file would change.")
@click.argument("files", nargs=-1, required=True, metavar="FILE_OR_FOLDER...")
def command(*, check: bool, files: Sequence[str]) -> None:
    """Check .datasource, .pipe and .connection files and write them in their usual form.

    Of a folder every such file of a project is taken. Templates are compiled.
    Problems are printed as file:line:column: message and make the exit code 1; such a file is
    left as it is. What a file means never changes, comments stay.
    """
    failed = changed = 0
    paths = [path for name in files for path in _paths(name)]
    for path in paths:
        outcome = _handled(path, check=check)
        failed += outcome == "failed"
        changed += outcome == "changed"
    same = len(paths) - failed - changed
    word = "would change" if check else "changed"
    click.echo(f"{changed} {word}, {same} as they should be, {failed} with problems.", err=True)
    sys.exit(1 if failed or (check and changed) else 0)


def _paths(name: str) -> list[str]:
    """Return the data files of a folder, as `name/file`; of anything else itself.

    A link out of the folder is left out: a build says so.
    """
    folder = Path(name)
    if not folder.is_dir():
        return [name]
    found = [path for path in data_files(folder) if is_inside(folder, path)]
    return [str(folder / path) for path in found] or [name]


def _handled(path: str, *, check: bool) -> str:
    """See to one file; returns "failed", "changed" or "same"."""
    try:
        text = _text(path)
        before = read_data_file(_plain(text), path=path, secrets=None, include=_included)
    except Unreadable as error:
        for problem in error.problems:
            click.echo(str(problem))
        return "failed"
    for warning in before.warnings:
        click.echo(str(warning))
    wrong = faults(before) if isinstance(before, Pipe) else []
    for problem in wrong:
        click.echo(str(problem))
    if wrong:
        return "failed"
    new = formatted(_plain(text), path=path)
    if new == text:
        return "same"
    after = read_data_file(new, path=path, secrets=None, include=_included)
    if meaning(after) != meaning(before):
        # Never write what would be read differently, whatever the reason.
        click.echo(str(Problem(path, "The file is left as it is: its form cannot be made usual.")))
        return "failed"
    if check:
        click.echo(f"would change {path}")
    else:
        _write(Path(path), new)
        click.echo(f"changed {path}")
    return "changed"


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff")


def _text(path: str) -> str:
    """Return a file's text; raises Unreadable when there is none."""
    if Path(path).is_dir():
        raise Unreadable([Problem(path, "There is no data file in this folder.")])
    try:
        with Path(path).open("rb") as file:
            body = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        said = f"The file cannot be read: {error.strerror}."
        raise Unreadable([Problem(path, said)]) from error
    if len(body) > FILE_BYTES_MAX:
        raise Unreadable([Problem(path, f"The file is larger than {FILE_BYTES_MAX} bytes.")])
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise Unreadable([Problem(path, "The file is not written in UTF-8.", line, 1)]) from error


def _included(path: str) -> str | None:
    try:
        return _text(path)
    except Unreadable:
        return None


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all; a link stays a link."""
    whole = Path(os.path.realpath(path))
    new = whole.with_name(whole.name + _NEW)
    new.write_text(text, "utf-8", newline="\n")
    shutil.copymode(whole, new)
    new.replace(whole)
