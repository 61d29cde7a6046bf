"""`playhead mock`: rows that fit a data source, into its fixture or to standard output."""

import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from playhead.cli.build import project_in
from playhead.cli.settings import fail
from playhead.cli.test import moment_ms
from playhead.clock import SystemClock
from playhead.errors import NotFound, PlayheadError, ProjectInvalid
from playhead.project.resources import Datasource, Project
from playhead.project.rows import Refused, RowReader
from playhead.simulate.mock import SEEDED_UNTIL, rows

ROWS: Final = 100
ROWS_MAX: Final = 1_000_000
FIXTURES: Final = "fixtures"


@click.command(name="mock")
@click.argument("datasource")
@click.option(
    "--rows",
    "count",
    metavar="N",
    type=click.IntRange(1, ROWS_MAX),
    default=ROWS,
    show_default=True,
    help="How many rows.",
)
@click.option("--seed", metavar="N", type=int, help="The same number makes the same rows.")
@click.option(
    "--until",
    metavar="TIME",
    help="The last time in the rows; the others lie in the week before. (default: now;"
    f" with --seed {SEEDED_UNTIL:%Y-%m-%d})",
)
@click.option(
    "--project", "folder", default=".", metavar="DIR", help="The project's folder (default: .)."
)
@click.option("--stdout", is_flag=True, help="Print the rows instead of writing a fixture.")
@click.option("--replace", is_flag=True, help="Write over a fixture that is there.")
def command(
    datasource: str,
    count: int,
    seed: int | None,
    until: str | None,
    folder: str,
    *,
    stdout: bool,
    replace: bool,
) -> None:
    """Make rows for DATASOURCE: values by the types and names of its columns, as NDJSON.

    They go to fixtures/DATASOURCE.ndjson of the project, which 'playhead build --fixtures',
    'playhead test run' and 'tb build' load.
    """
    try:
        project = project_in(folder)
        source = _source(project, datasource)
        last = _last(until, seed)
        seed = secrets.randbits(32) if seed is None else seed
        events = list(rows(source, count=count, seed=seed, until=last))
        body = msgspec.json.Encoder().encode_lines(events)
        _check(source, body)
        if stdout:
            sys.stdout.buffer.write(body)
            return
        path = Path(folder) / FIXTURES / f"{source.name}.ndjson"
        _write(path, body, replace=replace)
    except PlayheadError as error:
        fail(error, 1)
    click.echo(f"{count:,} row{'' if count == 1 else 's'} in {path}")


def _source(project: Project, name: str) -> Datasource:
    name = project.aliases.get(name, name)
    if name not in project.datasources:
        there = ", ".join(sorted(project.datasources)) or "none"
        raise NotFound(f"There is no data source '{name}'.", hint=f"The project has {there}.")
    return project.datasources[name]


def _last(until: str | None, seed: int | None) -> datetime:
    if until is not None:
        return datetime.fromtimestamp(moment_ms(until, "--until") / 1000, UTC)
    if seed is not None:
        return SEEDED_UNTIL
    return datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)


def _check(source: Datasource, body: bytes) -> None:
    """Refuse to hand out rows that the data source itself would refuse."""
    reader = RowReader(source)
    for line in body.splitlines():
        row = reader.line(line)
        if isinstance(row, Refused):
            raise ProjectInvalid(
                f"No row can be made for '{source.name}': {row.reasons[0]}.",
                hint="Write its fixture by hand.",
            )


def _write(path: Path, body: bytes, *, replace: bool) -> None:
    if path.exists() and not replace:
        raise ProjectInvalid(
            f"{path} is there already.", hint="Add --replace to write over it, or --stdout."
        )
    draft = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(body)
        os.replace(draft, path)  # noqa: PTH105 (a name that says it replaces)
    except OSError as error:
        raise ProjectInvalid(f"{path} cannot be written: {error.strerror}.") from error
