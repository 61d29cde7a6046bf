"""The addresses of projects: endpoints, SQL, data sources, jobs, builds, workspaces."""

from starlette.routing import BaseRoute

from playhead.serve.admission import Admission
from playhead.serve.clickhouse.answers import ClickHouseAnswers
from playhead.serve.pipes.build_answers import BuildAnswers
from playhead.serve.pipes.client_answers import ClientAnswers
from playhead.serve.pipes.datasource_answers import DatasourceAnswers
from playhead.serve.pipes.deployment_answers import deployment_routes
from playhead.serve.pipes.desk import PipeDesk
from playhead.serve.pipes.job_routes import job_routes
from playhead.serve.pipes.local_answers import LocalAnswers
from playhead.serve.pipes.pipe_answers import PipeAnswers
from playhead.serve.pipes.publish_answers import PublishAnswers
from playhead.serve.pipes.query_answers import QueryAnswers
from playhead.serve.pipes.token_answers import TokenAnswers
from playhead.serve.pipes.variable_answers import VariableAnswers
from playhead.serve.pipes.workspace_answers import WorkspaceAnswers
from playhead.serve.services import Services


def project_routes(desk: PipeDesk, services: Services, admission: Admission) -> list[BaseRoute]:
    """Return the addresses; the first that fits is taken."""
    pipes = PipeAnswers(desk, PublishAnswers(desk, services))
    return [
        *pipes.routes(),
        *QueryAnswers(desk, services).routes(),
        *pipes.last_routes(),
        *ClickHouseAnswers(desk, services, admission).routes(),
        *DatasourceAnswers(desk, services.store).routes(),
        *job_routes(desk, services),
        *ClientAnswers(desk, services).routes(),
        *TokenAnswers(services, admission).routes(),
        *WorkspaceAnswers(desk).routes(),
        *VariableAnswers(desk, services).routes(),
        *BuildAnswers(desk, services).routes(),
        *deployment_routes(desk, services),
        *LocalAnswers(services).routes(),
    ]
