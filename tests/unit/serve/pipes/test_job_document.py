from playhead.jobs.job import Job
from playhead.serve.pipes.job_document import job_document


def job(**given: object) -> Job:
    return Job(id="j", kind="import", name="plays", writes="plays", **given)  # type: ignore[arg-type]


def test_an_import_says_its_lines_as_clients_read_them() -> None:
    said = job_document(job(state="done", started_at=1), {"rows": 3, "quarantined": 1}, "http://h/")
    assert said["blocks"][0]["process_return"] == [
        {"lines": 4, "quarantine": 1, "parser": "playhead"}
    ]
    assert (said["job_url"], said["progress_percentage"]) == ("http://h/v0/jobs/j", 100.0)


def test_rows_of_a_try_that_was_dropped_do_not_count() -> None:
    kept = {"base": {"rows": 3}}
    assert job_document(job(kept=kept), {"rows": 5}, "")["rows"] == 2


def test_a_url_is_not_shown() -> None:
    detail = {"url": "https://h/a?secret=1", "mode": "append", "start": 0}
    said = job_document(job(detail=detail, state="error", error="Broken."), {}, "")
    assert said["detail"] == {"mode": "append"}
    assert said["errors"] == ["Broken."]
