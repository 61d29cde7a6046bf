"""`playhead deploy`: a project's folder becomes a deployment of a running server."""

import os
import sys
import time
from pathlib import Path
from shlex import quote
from typing import Any

import click

from playhead.cli.asking import secret_of, server_of, shown, stop
from playhead.cli.build import project_in
from playhead.cli.deployment import OPTIONS, asked, promoted, row, said
from playhead.errors import PlayheadError
from playhead.project.resources import Project

EVERY_S = 0.5
"""How often the server is asked how far it is."""
MARKS = {"new": "+", "changed": "~", "deleted": "-"}
KINDS = {"datasource": "data source", "pipe": "pipe", "data_connector": "connection"}


@click.command(name="deploy")
@click.option(
    "--project", "folder", default=".", metavar="DIR", help="The project's folder (default: .)."
)
@click.option("--check", is_flag=True, help="Only say what would change and what is wrong.")
@click.option(
    "--wait/--no-wait", default=True, help="Wait until its rows are there (default: wait)."
)
@click.option("--auto", is_flag=True, help="Promote it as soon as its rows are there.")
@click.option(
    "--allow-destructive-operations", "destructive", is_flag=True, help="Rows may be lost."
)
@OPTIONS
def command(
    folder: str,
    url: str | None,
    data: str | None,
    token_file: Path | None,
    *,
    check: bool,
    wait: bool,
    auto: bool,
    destructive: bool,
) -> None:
    """Deploy a project to a running server, beside what is live there.

    New and changed data sources get tables of their own with the rows of before, new rows go to
    both sides, and nothing that is served changes until the deployment is promoted. When it cannot
    be made, each reason is printed with its file, the exit code is 1, and what was live stays live.
    """
    try:
        project = project_in(folder)
    except PlayheadError as error:
        stop(error.message, error.hint)
    where = "".join(f" {to} {quote(at)}" for to, at in (("--url", url), ("--data", data)) if at)
    url, secret = server_of(url, data), secret_of(data, token_file)
    body = asked(
        url,
        secret,
        "POST",
        "/v1/deploy",
        params=_flags(check=check, auto_promote=auto, allow_destructive_operations=destructive),
        files=[("data_project://", (path, text.encode())) for path, text in _files(project)],
    )
    deployment = body["deployment"]
    _remarks(deployment)
    if body["result"] == "failed":
        sys.exit(_failed(deployment, check=check))
    if body["result"] == "no_changes":
        click.echo("Nothing to deploy: the server has this project already.")
        return
    _changes(deployment)
    if check:
        click.echo("It can be deployed; nothing was changed.")
        return
    click.echo(f"Deployment {deployment['id']} begins.")
    if wait or auto:
        _wait(url, secret, deployment["id"], auto=auto, where=where)


def _files(project: Project) -> list[tuple[str, str]]:
    """Return the files that go along: what a build would read, and nothing else."""
    return sorted(project.files.items())


def _flags(**flags: bool) -> dict[str, str]:
    return {name: "true" for name, value in flags.items() if value}


def _remarks(deployment: dict[str, Any]) -> None:
    for one in deployment["feedback"]:
        level = "" if one["level"] == "INFO" else f"{one['level'].lower()}: "
        click.echo(f"{shown(one['resource'])}: {level}{said(one['message'])}")


def _changes(deployment: dict[str, Any]) -> None:
    for kind, noun in KINDS.items():
        for deed, mark in MARKS.items():
            for name in deployment[f"{deed}_{kind}_names"]:
                click.echo(f"{mark} {noun} {shown(name)}")


def _failed(deployment: dict[str, Any], *, check: bool) -> int:
    for one in deployment["errors"]:
        click.echo(row(one), err=True)
    count = len(deployment["errors"])
    noun = "thing stands" if count == 1 else "things stand"
    what = "It cannot be deployed" if check else "Nothing was deployed"
    click.echo(f"{what}: {count} {noun} in the way. What was live is live.", err=True)
    return 1


def _wait(url: str, secret: str, id: str, *, auto: bool, where: str) -> None:  # noqa: A002 (its own word)
    """Wait until a deployment is ready, or live; say how far it is where somebody looks on.

    `where` names the server in the commands that are told, as the caller named it.
    """
    looked_on = sys.stderr.isatty() and not os.environ.get("CI")
    while True:
        one = asked(url, secret, "GET", f"/v1/deployments/{id}")["deployment"]
        if one["state"] != "in_progress" and not (auto and one["state"] == "data_ready"):
            break
        if looked_on and one["rows_total"]:
            click.echo(f"\r{one['rows_done']:,} of {one['rows_total']:,} rows ", err=True, nl=False)
        time.sleep(EVERY_S)
    if looked_on:
        click.echo("\r", err=True, nl=False)
    if one["state"] == "live":
        promoted(one)
    elif one["state"] == "data_ready":
        rows = f" ({one['rows_total']:,} copied)" if one["rows_total"] else ""
        click.echo(f"Deployment {id} is staged; its rows are there{rows}.")
        click.echo("Look at it with __tb__deployment=staging in any query.")
        click.echo(f"Make it live:  playhead deployment promote {id}{where}")
        click.echo(f"Take it away:  playhead deployment discard {id}{where}")
    else:
        for fault in one["errors"]:
            click.echo(row(fault), err=True)
        click.echo(f"Deployment {id} failed; what was live is live.", err=True)
        sys.exit(1)
