"""A deployment looked at from every side before anything of it is made."""

from collections.abc import Mapping

import msgspec

from playhead.build.definition import placed_definitions
from playhead.build.deployment.mapping import Forward, by_query
from playhead.build.deployment.plan import Fate, Plan, Side, needs_query, plan_of
from playhead.build.deployment.record import Changed, Fault, Feedback, faults_of
from playhead.build.draft import Draft, Drafting
from playhead.build.idle import idle
from playhead.build.published import explained, joined
from playhead.build.routing import unroutable
from playhead.build.sentence import counted
from playhead.build.tables import drop_database, make_database
from playhead.build.target import Target
from playhead.build.views import View, materialized, view_of
from playhead.errors import PlayheadError, Unavailable
from playhead.project.folder import read_texts
from playhead.project.manifest import Manifest
from playhead.project.problem import Problem
from playhead.project.resources import Datasource, Project

_SAID = {
    "new": "is new",
    "clone": "gets a new table with its rows by hard links",
    "move": "gets a new table; its rows are poured into it",
    "refill": "gets a new table, filled by its materialized views",
    "empty": "gets a new table; rows of before stay behind",
    "copy": "gets a new table; its rows are copied",
}


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    draft: Draft
    plan: Plan
    live: Side
    wanted: Side
    changed: Changed
    feedback: tuple[Feedback, ...] = ()
    errors: tuple[Fault, ...] = ()


async def look(
    target: Target, project: Project, live: Manifest, *, allow_destructive: bool
) -> Look:
    """Lay a project out in a database of its own and plan how it would follow what is live.

    Args:
        target: The store, with the places of what is live.
        project: Its files, read.
        live: What is live.
        allow_destructive: Rows may be lost where the plan says so.
    """
    found = joined(project, live.published)
    draft = await _drafted(target, found.project)
    before = await _live_side(target, live)
    wanted = Side(
        project=draft.project,
        definitions=draft.definitions,
        views=await _views(target, draft.project) if not draft.problems else {},
    )
    warnings = [*found.warnings, *draft.warnings, *idle(draft.project)]
    if draft.problems:
        problems = tuple(explained(one, found.published) for one in draft.problems)
        plan = Plan()
    else:
        plan = plan_of(before, wanted, await _queries(target, before, wanted))
        problems = plan.problems
        warnings += [*plan.warnings, *unroutable(draft.project, draft.definitions)]
    if plan.destructive and not allow_destructive:
        problems += tuple(_asking(one) for one in plan.destructive)
    else:
        warnings += plan.destructive
    said = [Feedback(one.file, "WARNING", f"{one.message} {one.hint}".strip()) for one in warnings]
    said += [
        Feedback(draft.project.datasources[name].path, "INFO", _told(name, fate, before))
        for name, fate in plan.moved().items()
        if not any(one.file == draft.project.datasources[name].path for one in problems)
    ]
    return Look(
        draft=draft,
        plan=plan,
        live=before,
        wanted=wanted,
        changed=_changed(before.project, draft.project, plan),
        feedback=tuple(dict.fromkeys(said)),
        errors=faults_of(problems),
    )


def project_of(manifest: Manifest, targets: Mapping[str, Datasource] | None = None) -> Project:
    """Return the project that a manifest holds, with the data sources that its pipes describe."""
    project = read_texts(manifest.files, secrets=manifest.secrets)
    return msgspec.structs.replace(
        project,
        secrets={**project.secrets, **manifest.secrets},
        datasources={**project.datasources, **(targets or {})},
    )


async def _drafted(target: Target, project: Project) -> Draft:
    database = f"{target.database}_deploy_draft"
    await drop_database(target.store, database)
    await make_database(target.store, database)
    try:
        return await Drafting(target, project, database).draft()
    finally:
        await drop_database(target.store, database)


async def _live_side(target: Target, live: Manifest) -> Side:
    tables = await placed_definitions(target.store, target.database, target.places)
    project = project_of(live)
    # Targets that pipes describe (Classic) have no file.
    described = {
        node.target: Datasource(name=node.target, path=pipe.path)
        for pipe, node in materialized(project)
        if node.target in tables and node.target not in project.datasources
    }
    project = msgspec.structs.replace(project, datasources={**described, **project.datasources})
    return Side(project=project, definitions=tables, views=await _views(target, project))


async def _views(target: Target, project: Project) -> dict[str, View]:
    """Return the views of a project as if all its tables were in one place: so they compare."""
    plain = msgspec.structs.replace(target, places={})
    resolver = plain.resolver(project, plain.database)
    found: dict[str, View] = {}
    for pipe, node in materialized(project):
        try:
            view = await view_of(plain, resolver, pipe, node, database=plain.database)
        except Unavailable:
            raise
        except PlayheadError:
            continue  # of a live project that this release reads in another way: taken as changed
        found[view.name] = view
    return found


async def _queries(target: Target, live: Side, wanted: Side) -> dict[str, Forward | Problem]:
    resolver = target.resolver(live.project, target.database)
    found: dict[str, Forward | Problem] = {}
    for name in needs_query(live, wanted):
        source = wanted.project.datasources[name]
        found[name] = await by_query(
            target, resolver, source, live.definitions[name], wanted.definitions[name]
        )
    return found


def _asking(problem: Problem) -> Problem:
    hint = f"{problem.hint} Allow it with --allow-destructive-operations.".strip()
    return msgspec.structs.replace(problem, hint=hint, warning=False)


def _told(name: str, fate: Fate, live: Side) -> str:
    table = live.definitions.get(name)
    rows = f" ({counted(table.row_count, 'row')})" if table and fate.kind != "new" else ""
    return f"'{name}' {_SAID[fate.kind]}{rows}."


def _changed(live: Project, wanted: Project, plan: Plan) -> Changed:
    def three(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, object]:
        moved = set(plan.moved()) if kind == "datasource" else set()
        both = set(before) & set(after)
        changed = {name for name in both if before[name] != after[name] or name in moved}
        return {
            f"new_{kind}_names": tuple(sorted(set(after) - set(before))),
            f"changed_{kind}_names": tuple(sorted(changed)),
            f"deleted_{kind}_names": tuple(sorted(set(before) - set(after))),
        }

    texts = {
        "datasource": [{n: s.text for n, s in p.datasources.items()} for p in (live, wanted)],
        "pipe": [{n: s.text for n, s in p.pipes.items()} for p in (live, wanted)],
        "data_connector": [
            {n: repr((c.kind, c.options)) for n, c in p.connections.items()} for p in (live, wanted)
        ],
    }
    said: dict[str, object] = {}
    for kind, (before, after) in texts.items():
        said |= three(kind, before, after)
    return msgspec.convert(said, Changed)
