"""Sinks: the rows of a pipe into files of a folder or an object store.

The query runs once, into a table of the job's own; then its files are written one by one, each as a
whole and under a name that follows from the job. After a stop a file is written again, not twice.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from playhead.build.definition import quoted
from playhead.connect.buckets.bucket import fitting
from playhead.connect.buckets.opened import opened
from playhead.errors import ProjectInvalid
from playhead.jobs.copies import Asked, timestamp
from playhead.jobs.draft import Draft, described
from playhead.jobs.job import Job
from playhead.jobs.projects import Projects, node_of
from playhead.jobs.schedules import Scheduled
from playhead.jobs.sink_files import FILE_COLUMN, Form, form_of, naming_of, packed
from playhead.jobs.work import Work
from playhead.project.resources import Connection, Node
from playhead.query.pipes.live import Live
from playhead.store.result import Limits
from playhead.template.rendering import Inputs

KIND: Final = "sink"
ID_CHARS: Final = 8
"""So much of a job's id is in the names of its files."""
_OUTPUT: Final = {"output_format_json_quote_64bit_integers": "0", "max_threads": "1"}


class Sinks:
    """The kind "sink"."""

    name: Final = KIND

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    async def run(self, work: Work) -> None:
        """Write the files; called again after a stop it goes on with the one in hand."""
        asked = msgspec.convert(work.job.detail, Asked)
        live = await self._projects.newest(work.job.workspace)
        _, node = node_of(live, asked.pipe, KIND, asked.node)
        connection = _connection(live, node)
        form = form_of(node.options)
        bucket = opened(
            connection.kind,
            node.options["EXPORT_BUCKET_URI"],
            connection.options,
            settings=work.desk.config.jobs,
            workspace=work.job.workspace,
        )
        table = Draft(live.workspace.database, work.job.id)
        if "files" not in work.kept:
            await self._fill(work, live, asked, node, table)
        files: list[str] = work.kept["files"]
        for number in range(work.kept.get("done", 0), len(files)):
            work.check()
            path = path_of(files[number], form, node, work.job, asked)
            size = await bucket.put(
                path, packed(_rows(work, table, files[number], form), form.packing)
            )
            await work.keep(done=number + 1, bytes=work.kept.get("bytes", 0) + size)
            await work.progress(number + 1, len(files))
        await table.drop(work.desk.store)

    async def _fill(self, work: Work, live: Live, asked: Asked, node: Node, table: Draft) -> None:
        """Run the query into a table of the job's own, which says of each row its file."""
        store = work.desk.store
        when = timestamp(asked, work.job)
        prepared = await live.resolver.node(
            asked.pipe, node.name, Inputs(params=asked.params, job_timestamp=when)
        )
        columns = await described(store, prepared)
        naming = naming_of(node.options["EXPORT_FILE_TEMPLATE"], columns, _compact(when))
        await table.fill(
            store,
            f"SELECT {naming.sql} AS {quoted(FILE_COLUMN)}, * FROM ({prepared.sql})",  # noqa: S608 (the guard has seen the query)
            {**prepared.bound, **naming.bound},
            order=quoted(FILE_COLUMN),
        )
        most = work.desk.config.jobs.max_sink_files
        found = await store.rows(
            f"SELECT {quoted(FILE_COLUMN)} AS file, count() FROM {table.full}"  # noqa: S608 (names of ours)
            f" GROUP BY file ORDER BY file LIMIT {most + 1}"
        )
        if len(found.rows) > most:
            raise ProjectInvalid(
                f"The sink would write more than {most} files (jobs.max_sink_files). None was written.",
                hint="Take a column with fewer values in EXPORT_FILE_TEMPLATE.",
            )
        rows = sum(int(row[1]) for row in found.rows)
        await work.keep(files=[str(row[0]) for row in found.rows], rows=rows)


async def _rows(work: Work, table: Draft, file: str, form: Form) -> AsyncIterator[bytes]:
    """Yield the rows of one file in its form."""
    config = work.desk.config
    stream = work.desk.store.stream(
        f"SELECT * EXCEPT ({quoted(FILE_COLUMN)}) FROM {table.full}"  # noqa: S608 (names of ours)
        f" WHERE {quoted(FILE_COLUMN)} = {{file:String}}",
        {"file": file},
        format=form.format,
        limits=Limits(timeout_ms=config.store.command_timeout_ms),
        settings={**_OUTPUT, **form.settings},
    )
    async for chunk in stream:
        yield chunk


def path_of(file: str, form: Form, node: Node, job: Job, asked: Asked) -> str:
    """Return the path of a file: always the same for a job, and another for each job.

    The time has seconds; two runs in one second differ by the end of their ids.

    Raises:
        ProjectInvalid: A value makes no path.
    """
    new = node.options.get("EXPORT_WRITE_STRATEGY", "new").lower() != "truncate"
    has_time = "{timestamp}" in node.options["EXPORT_FILE_TEMPLATE"]
    time = "" if has_time else f"_{_compact(timestamp(asked, job))}"
    suffix = f"{time}_{job.id.replace('-', '')[-ID_CHARS:]}" if new else ""
    try:
        return fitting(f"{file}{suffix}.{form.extension}")
    except ValueError as error:
        raise ProjectInvalid(f"EXPORT_FILE_TEMPLATE: {error}.") from error


def sink_job(asked: Asked, *, workspace: str) -> Job:
    """Return the job of a sink."""
    detail: dict[str, Any] = msgspec.to_builtins(asked)
    return Job(kind=KIND, workspace=workspace, name=asked.pipe, detail=detail)


def job_of(workspace: str, one: Scheduled, due_ms: int) -> Job:
    """Return the job of a sink that fell due."""
    return sink_job(
        Asked(pipe=one.pipe.name, node=one.node.name, due_ms=due_ms), workspace=workspace
    )


def _connection(live: Live, node: Node) -> Connection:
    name = node.options.get("EXPORT_CONNECTION_NAME", "")
    found = live.workspace.project.connections.get(name)
    if "EXPORT_KAFKA_TOPIC" in node.options:
        raise ProjectInvalid("Sinks to Kafka cannot be run by this release; files can be written.")
    if found is None:
        raise ProjectInvalid(
            f"The connection '{name}' of the sink is not in the project. Nothing was written.",
            hint=f"Add {name}.connection and build.",
        )
    return found


def _compact(when: str) -> str:
    at = datetime.strptime(when, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return at.strftime("%Y%m%dT%H%M%S")
