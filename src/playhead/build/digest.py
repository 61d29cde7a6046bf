"""What the last build was of, in digests: the next one sees from them what has changed."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from playhead import __version__
from playhead.build.manifest import Built
from playhead.build.target import Target
from playhead.build.views import View
from playhead.project.resources import Datasource, Project

FORMAT: Final = 1
"""Counted up when the same files must be built anew by a new release."""


def digest_of(*parts: str) -> str:
    """Return a digest of texts, in order."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return digest.hexdigest()


def built_of(
    project: Project,
    views: Mapping[str, View],
    target: Target,
    *,
    digest: str,
    kept: Mapping[str, str],
) -> Built:
    """Return the state of builds once a project is what the target holds."""
    places = {name: target.database_of(view.target) for name, view in views.items()}
    return Built(
        digest=digest,
        tables={**kept, **{n: _digest_of_source(s) for n, s in project.datasources.items()}},
        views={name: view.digest for name, view in views.items()},
        places={name: place for name, place in places.items() if place != target.database},
        pipes={name: digest_of(pipe.text) for name, pipe in project.pipes.items()},
    )


def _digest_of_source(source: Datasource) -> str:
    return digest_of(source.text or repr((source.columns, source.engine)))


def digest_of_project(project: Project) -> str:
    """Return a digest of everything a build reads."""
    texts = [part for pair in sorted(project.files.items()) for part in pair]
    secrets = [part for pair in sorted(project.secrets.items()) for part in pair]
    problems = [str(problem) for problem in project.problems]
    # Values of the environment may stand in them, which the texts do not show.
    sources = msgspec.json.encode(project.datasources).decode()
    return digest_of(str(FORMAT), __version__, *texts, *secrets, *problems, sources)
