"""A project's folder, or its files as texts, as a `Project`."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from playhead.project.assembly import Assembly
from playhead.project.datafile import kind_of
from playhead.project.problem import Problem
from playhead.project.reading import FILE_BYTES_MAX
from playhead.project.resources import Project

LEVELS_MAX: Final = 3
"""Data files lie in the root or at most two folders below: names in a path."""
TEST_LEVELS_MAX: Final = 16
"""The same for tests, which are found at any depth anybody uses."""
ENTRIES_MAX: Final = 50_000
"""Most files and folders that are looked at."""
FILES_MAX: Final = 10_000
"""Most files of a project that are read."""
TOTAL_CHARS_MAX: Final = 67_108_864
"""Most text of all data files together."""
_DATA: Final = (".datasource", ".pipe", ".connection", ".incl")
_TESTS: Final = (".yaml", ".yml", ".test")
_FIXTURES: Final = (".ndjson", ".csv", ".sql", ".ndjson.gz", ".csv.gz")
_SECRETS_FILE: Final = ".env.local"

ReadText = Callable[[str], "str | Problem"]


def read_project(root: Path, *, environ: Mapping[str, str] = {}) -> Project:
    """Read a project's folder.

    Args:
        root: The folder.
        environ: For `$NAME` in the values of instructions.

    Returns:
        The project; what is wrong with a file is in its `problems`, never raised.
    """
    base = Path(os.path.realpath(root))

    def read(path: str) -> str | Problem:
        return _text(base, path)

    paths, complete = _walk(base)
    project = _project(str(root), sorted(paths), read, environ)
    if not complete:
        said = Problem(".", f"The folder holds more than {ENTRIES_MAX} entries; not all was read.")
        project = msgspec.structs.replace(project, problems=(said, *project.problems))
    return project


def data_files(root: Path) -> list[str]:
    """Return the paths of a folder's data files, relative to it, in order; no included ones."""
    paths, _ = _walk(Path(os.path.realpath(root)))
    return sorted(path for path in paths if _what(path) == "data" and kind_of(path))


def stamps(root: Path) -> dict[str, tuple[int, int]]:
    """Return when each file that belongs to a project was changed (ns), and its size, by path."""
    base = Path(os.path.realpath(root))
    found: dict[str, tuple[int, int]] = {}
    for path in _walk(base)[0]:
        if _what(path):
            with suppress(OSError):  # it went away between the two looks
                state = (base / path).stat()
                found[path] = (state.st_mtime_ns, state.st_size)
    return found


def is_inside(root: Path, path: str) -> bool:
    """Return whether a file of a project is in its folder, and no link that leads out of it."""
    base = os.path.realpath(root)
    return Path(os.path.realpath(Path(base) / path)).is_relative_to(base)


def read_texts(
    files: Mapping[str, str],
    *,
    environ: Mapping[str, str] = {},
    secrets: Mapping[str, str] = {},
) -> Project:
    """Read a project from its files' texts by relative path ("pipes/views.pipe").

    Of fixtures and tests only the paths count here; their texts may be empty.

    Args:
        files: The texts.
        environ: For `$NAME` in the values of instructions.
        secrets: What `tb_secret()` finds beside what `.env.local` among the files says.
    """

    def read(path: str) -> str | Problem:
        return files.get(path) or ""

    return _project("", sorted(files), read, environ, secrets)


def _project(
    root: str,
    paths: Iterable[str],
    read: ReadText,
    environ: Mapping[str, str],
    secrets: Mapping[str, str] = {},
) -> Project:
    assembly = Assembly(root, environ, secrets)
    total = count = 0
    for path in paths:
        what = _what(path)
        if what in ("data", "secrets"):
            text = read(path)
            count += 1
            total += 0 if isinstance(text, Problem) else len(text)
            if count > FILES_MAX or total > TOTAL_CHARS_MAX:
                assembly.problem(Problem(path, "The project is too large; not all was read."))
                break
            if isinstance(text, Problem):
                assembly.problem(text)
            elif what == "secrets":
                assembly.add_secrets(text)
            else:
                assembly.add_text(path, text)
        elif what == "fixture":
            assembly.add_fixture(path)
        elif what == "test":
            assembly.add_test(path)
    return assembly.project()


def _what(path: str) -> str:
    """Return what a file is to a project: data, secrets, fixture, test, or "" for nothing."""
    if path == _SECRETS_FILE:
        return "secrets"
    parts = path.split("/")
    name, folders = parts[-1], parts[:-1]
    if folders[:1] == ["vendor"] or any(not part or part.startswith(".") for part in parts):
        return ""
    if name.endswith(_TESTS) and "tests" in folders and len(parts) <= TEST_LEVELS_MAX:
        return "test"
    found = ""
    if name.endswith(_DATA):
        found = "data"
    elif name.endswith(_FIXTURES) and folders[-1:] == ["fixtures"]:
        found = "fixture"
    return found if len(parts) <= LEVELS_MAX else ""


def _walk(base: Path) -> tuple[list[str], bool]:
    """Return the paths of files below a folder, and whether all were looked at."""
    found: list[str] = []
    folders = [""]
    seen = 0
    while folders:
        folder = folders.pop()
        for entry in _entries(base / folder):
            seen += 1
            if seen > ENTRIES_MAX:
                return found, False
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if _entered(path):
                    folders.append(path)
            elif entry.is_file():
                found.append(path)
    return found, True


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return


def _entered(folder: str) -> bool:
    parts = folder.split("/")
    if any(part.startswith(".") for part in parts) or parts[0] == "vendor":
        return False
    return len(parts) < LEVELS_MAX or ("tests" in parts and len(parts) < TEST_LEVELS_MAX)


def _text(base: Path, path: str) -> str | Problem:
    """Return a file's text, or why there is none. A link out of the folder is not followed."""
    whole = base / path
    try:
        if not is_inside(base, path):
            return Problem(path, "The file is a link to a place outside the project.")
        with whole.open("rb") as file:
            body = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        return Problem(path, f"The file cannot be read: {error.strerror}.")
    if len(body) > FILE_BYTES_MAX:
        return Problem(path, f"The file is larger than {FILE_BYTES_MAX} bytes.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        return Problem(path, "The file is not written in UTF-8.", line, 1)
