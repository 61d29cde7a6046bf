"""The addresses of jobs, files and removals; none where no jobs are run."""

from starlette.routing import Route

from playhead.jobs.spool import Spool
from playhead.serve.pipes.analyze_answers import AnalyzeAnswers
from playhead.serve.pipes.desk import PipeDesk
from playhead.serve.pipes.import_answers import ImportAnswers
from playhead.serve.pipes.job_answers import JobAnswers
from playhead.serve.pipes.removal_answers import RemovalAnswers
from playhead.serve.pipes.run_answers import RunAnswers
from playhead.serve.pipes.upload import Uploads
from playhead.serve.services import Services
from playhead.serve.workspace_jobs import WorkspaceJobs


def job_routes(desk: PipeDesk, services: Services) -> list[Route]:
    """Return the addresses that hand something to the runner, or ask what became of it."""
    runner = services.runner
    if runner is None:
        return []
    limits = services.config.jobs
    uploads = Uploads(Spool(services.config), limits, services.clock)
    services.homes().ending = WorkspaceJobs(runner)
    jobs = JobAnswers(desk, runner)
    schedules = services.schedules
    return [
        *(RunAnswers(desk, services, jobs, runner, schedules).routes() if schedules else ()),
        *jobs.routes(),
        *ImportAnswers(desk, runner, uploads, jobs).routes(),
        *RemovalAnswers(desk, runner, jobs).routes(),
        *AnalyzeAnswers(desk, runner, uploads).routes(),
    ]
