"""Which tests a change concerns: those of pipes that read what changed, directly or through others."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from playhead.project.resources import Pipe, Project

_WORD: Final = re.compile(r"\w+")
_FORWARD: Final = (".yaml", ".yml")


def affected_tests(project: Project, changed: Iterable[str]) -> list[str]:
    """Return the test files to run after a change.

    Args:
        project: As it is now.
        changed: Names of data sources and pipes, and paths of test files. A name that is gone
            counts too.

    Returns:
        Their paths in order. A file whose name is no pipe's may ask anything: it always counts.
    """
    names = set(changed)
    reached = reached_by(project, names)
    found = []
    for path in project.tests:
        stem = PurePosixPath(path).stem
        is_of_pipe = path.endswith(_FORWARD) and stem in project.pipes
        if path in names or stem in reached or not is_of_pipe:
            found.append(path)
    return found


def reached_by(project: Project, names: Iterable[str]) -> set[str]:
    """Return names of pipes and data sources with everything that reads them or is filled by them."""
    reached = set(names)
    reads = {name: _read_by(pipe) for name, pipe in project.pipes.items()}
    grown = True
    while grown:  # each round adds a name, or is the last
        before = len(reached)
        for name, words in reads.items():
            if name in reached or words & reached:
                reached.add(name)
                reached |= {node.target for node in project.pipes[name].nodes if node.target}
        grown = len(reached) > before
    return reached


def _read_by(pipe: Pipe) -> set[str]:
    """Return every word that a pipe's SQL says: the names it reads are among them."""
    return {word for node in pipe.nodes for word in _WORD.findall(node.sql)} - {pipe.name}
