"""The tokens that data files name: made when they are missing, widened when they are there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playhead.access import DATABASE_FILE, Scope, Tokens, write_secret
from playhead.build.target import Change
from playhead.clock import Clock
from playhead.project.resources import Project

_OF_SOURCES: Final = {
    "READ": "DATASOURCES:READ",
    "APPEND": "DATASOURCES:APPEND",
    # Classic: whoever may make a data source by sending to it may send to it.
    "CREATE": "DATASOURCES:APPEND",
}


def scopes_of(project: Project) -> dict[str, list[Scope]]:
    """Return each token the files name, and what they give it."""
    found: dict[str, list[Scope]] = {}
    for name, scope in _grants(project):
        scopes = found.setdefault(name, [])
        if scope not in scopes:
            scopes.append(scope)
    return found


def ensure_tokens(project: Project, data_dir: Path, clock: Clock) -> list[Change]:
    """Make the tokens that are missing; the secret of each goes to a file of its own.

    One that is there keeps its secret and gets what it has not. None is ever taken back here.

    Raises:
        InvalidRequest: A name cannot be a token's.
    """
    wanted = scopes_of(project)
    if not wanted:
        return []
    changes: list[Change] = []
    tokens = Tokens(data_dir / DATABASE_FILE, clock)
    try:
        for name, scopes in sorted(wanted.items()):
            secret = tokens.ensure_scoped(name, scopes)
            if secret is not None:
                path = write_secret(data_dir, name, secret)
                changes.append(Change("created", "token", name, str(path.resolve())))
    finally:
        tokens.close()
    return changes


def _grants(project: Project) -> Iterator[tuple[str, Scope]]:
    for source in project.datasources.values():
        for grant in source.tokens:
            yield grant.name, Scope(_OF_SOURCES[grant.permission], source.name)
    for pipe in project.pipes.values():
        for grant in pipe.tokens:
            yield grant.name, Scope("PIPES:READ", pipe.name)
