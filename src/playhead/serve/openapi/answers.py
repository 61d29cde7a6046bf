"""Every answer as an operation, in the order of the reference."""

from playhead.config import Config
from playhead.serve.openapi import (
    backups,
    content,
    datasources,
    delivery,
    deployments,
    jobs,
    metrics,
    pipes,
    publishing,
    quarantine,
    reports,
    runs,
    server,
    space,
    tokens,
    viewers,
    views,
    workspaces,
)
from playhead.serve.openapi.operations import Operation


def operations(config: Config) -> tuple[Operation, ...]:
    """Return every answer that can be asked for; limits are those of the settings."""
    return (
        *metrics.operations(config),
        *views.operations(config),
        *content.operations(config),
        *reports.operations(config),
        *delivery.operations(config),
        *quarantine.operations(config),
        *pipes.operations(config),
        *publishing.operations(config),
        *datasources.operations(),
        *deployments.operations(config),
        *jobs.operations(),
        *runs.operations(),
        *tokens.operations(),
        *workspaces.operations(config),
        *server.operations(),
        *backups.operations(),
        *space.operations(),
        *viewers.operations(),
    )
