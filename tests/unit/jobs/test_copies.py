import pytest

from playhead.jobs.copies import Asked, copy_job, job_of
from playhead.jobs.job import Job
from playhead.jobs.runner import ANY
from playhead.jobs.schedules import scheduled
from playhead.jobs.sink_files import Form
from playhead.jobs.sinks import path_of
from playhead.project.folder import read_texts
from playhead.project.resources import Node

COPY = "NODE n\nSQL >\n    SELECT 1 AS a\nTYPE copy\nTARGET_DATASOURCE d\nCOPY_SCHEDULE 0 * * * *\n"


@pytest.mark.parametrize(
    ("asked", "of_the_file", "writes"),
    [
        ("", "append", "d"),
        ("replace", "append", ANY),
        ("", "replace", ANY),
        ("append", "replace", "d"),
    ],
)
def test_a_replacing_copy_writes_what_views_fill_too(
    asked: str, of_the_file: str, writes: str
) -> None:
    job = copy_job(Asked(pipe="p", mode=asked), target="d", workspace="", mode=of_the_file)
    assert job.writes == writes


def test_a_scheduled_copy_writes_the_data_source_behind_an_alias() -> None:
    project = read_texts({"d.datasource": "SCHEMA >\n    a UInt8\n", "p.pipe": COPY})
    project.aliases["d"] = "renamed"
    [one] = scheduled(project)
    assert job_of("", one, 0).writes == "renamed"


def test_two_runs_of_a_sink_in_one_second_write_different_files() -> None:
    for template in ("all", "all_{timestamp}"):
        node = Node(name="n", kind="sink", sql="", options={"EXPORT_FILE_TEMPLATE": template})
        jobs = [Job(kind="sink", id=f"0-0-0-0-00000000000{n}") for n in (1, 2)]
        form = Form(format="", extension="csv")
        assert len({path_of("all", form, node, job, Asked(pipe="p")) for job in jobs}) == 2
