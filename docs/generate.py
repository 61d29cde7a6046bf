"""Write docs/reference from the code, and the snippets of pages from the tested examples.

`python docs/generate.py` writes; `--check` says what is out of date and exits with 1.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import data_files_page
import meanings
import metric_page
import msgspec
import snippets

from playhead import config
from playhead.cli import main
from playhead.collect.request import DropReason
from playhead.model import cdn_request, event, frame, kinds, view
from playhead.model.states import State, Status
from playhead.serve.errors_page import kinds as kinds_of_error

HERE = Path(__file__).parent
OUT = HERE / "reference"
NOTE = "<!-- made by docs/generate.py from the code; change the code instead -->\n\n"


def documented_fields(module: object, struct: str) -> Iterator[tuple[str, str, str]]:
    """Yield (name, annotation, docstring below it) of a struct's fields, from its source."""
    path = Path(str(getattr(module, "__file__", "")))
    tree = ast.parse(path.read_text("utf-8"))
    [found] = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == struct]
    for node, following in zip(found.body, [*found.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            doc = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                doc = " ".join(str(following.value.value).split())
            yield node.target.id, ast.unparse(node.annotation), doc


def cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def settings() -> str:
    lines = [
        "# Settings\n",
        "One TOML file (`--config FILE`), any of it overridden by the environment as "
        "`PLAYHEAD_SECTION__KEY`, the command line on top. `playhead config show` prints each "
        "value and where it came from.\n",
    ]
    defaults = config.Config()
    for section in config.Config.__struct_fields__:
        part = getattr(defaults, section)
        lines.append(f"## [{section}]\n\n{(type(part).__doc__ or '').strip()}\n")
        lines.append("| key | default | meaning |\n|---|---|---|")
        module = sys.modules[type(part).__module__]
        for name, _, doc in documented_fields(module, type(part).__name__):
            value = getattr(part, name)
            lines.append(f"| `{name}` | `{toml(value)}`{in_words(name, value)} | {cell(doc)} |")
        lines.append("")
    return "\n".join(lines)


def toml(value: object) -> str:
    """Return a value as it stands in a TOML file (whose strings, numbers and lists are JSON's)."""
    return json.dumps(value)


def in_words(name: str, value: object) -> str:
    """Return a large number again in a unit a person reads."""
    scales = {
        "_bytes": ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")),
        "_ms": ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")),
    }
    for ending, units in scales.items():
        if name.endswith(ending) and isinstance(value, int):
            for size, unit in units:
                if value >= size and value % size == 0:
                    return f" ({value // size} {unit})"
    return ""


def error_page() -> str:
    lines = [
        "# Errors\n",
        "Every error over HTTP is `{code, message, hint, docs}`. Codes are stable.\n",
        "| code | HTTP | what happened | what to do |\n|---|---|---|---|",
    ]

    for kind in kinds_of_error():
        doc = " ".join((kind.__doc__ or "").split())
        lines.append(
            f'| <a id="{kind.code}"></a>`{kind.code}` | {kind.status} | {doc} | {cell(kind.hint)} |'
        )
    lines.append("\n## Reasons an event is dropped\n\n| reason | meaning |\n|---|---|")
    for reason in DropReason:
        lines.append(f"| `{reason.value}` | {drop_meaning(reason.value)} |")
    lines.append(
        "| `view_too_long` | The view already holds `process.max_events_per_view` events. |"
    )
    lines.append(
        "| `forgotten` | Sent again by the player of a viewer who was deleted (or taken out of the log). |"
    )
    return "\n".join(lines) + "\n"


def drop_meaning(reason: str) -> str:
    return {
        "too_old": "Older than `collect.max_event_age_ms`.",
        "unknown_version": "Written in a newer version of its format (CMCD above 2).",
        "too_large": "Larger than `limits.max_event_bytes`.",
        "too_far_ahead": "Further ahead of the server's clock than allowed.",
    }.get(reason, reason.replace("_", " ").capitalize() + ".")


def fields() -> str:
    lines = [
        "# Fields\n",
        "## A view (`/v1/views`, table `playhead.views`)\n",
        "In answers times are ISO 8601 in UTC, the `interval_…` and `watched_…` columns are the "
        "lists `intervals` and `watched` of one view, and columns marked *table* are left out.\n",
        "| field | type | meaning |\n|---|---|---|",
    ]
    for name, kind, doc in documented_fields(view, "ViewRow"):
        said = doc or meanings.VIEW.get(name, "")
        mark = " *table*" if name in meanings.TABLE_ONLY else ""
        lines.append(f"| `{name}` | {cell(kind)} | {cell(said)}{mark} |")
    lines.append("\nStates of an interval: " + ", ".join(f"`{s.value}`" for s in State) + ".\n")
    lines.append("Status of a view: " + ", ".join(f"`{s.value}`" for s in Status) + ".\n")
    lines.append(
        "## An event (`POST /telemetry`)\n\nNames on the wire; only `eventType` and `timestamp` are required; unknown fields are kept in `extra`.\n"
    )
    for struct in (
        "Event",
        "Quality",
        "Buffering",
        "Network",
        "Device",
        "PlayerStats",
        "Engagement",
        "PlayerError",
        "Ad",
        "Request",
    ):
        part = getattr(event, struct)
        lines.append(f"### {struct}\n\n{inspect.cleandoc(part.__doc__ or '')}\n")
        lines.append("| field | type | meaning |\n|---|---|---|")
        for item in msgspec.structs.fields(part):
            if item.name != "extra":
                said = meanings.EVENT.get(f"{struct}.{item.encode_name}", "")
                kind = cell(type_name(item.type))
                lines.append(f"| `{item.encode_name}` | {kind} | {cell(said)} |")
        lines.append("")
    lines.append(
        "## Event types\n\nAny spelling (`rebufferstart`, `REBUFFER_START`, `rebuffer-start`); what is unknown is kept as `CUSTOM`.\n"
    )
    lines.append(", ".join(f"`{kind}`" for kind in kinds.ALL) + ".\n")
    lines += tables()
    return "\n".join(lines) + "\n"


def tables() -> list[str]:
    """Return the sections of the rows that are no views: requests, frames, refused events."""
    return [
        "## A CDN request (table `playhead.cdn_requests`)\n",
        "A line of an access log, or a row of `POST /v0/events?name=cdn_requests`, where columns have "
        "these names. Text that is not known is empty, a number null. In the table each row also has "
        "`received_at`, `door`, `property`, and `log_offset` and `log_index`: where it lies in the log.\n",
        *rows(documented_fields(cdn_request, "CdnRequest"), meanings.CDN_REQUEST),
        "\nCache states: " + ", ".join(f"`{s}`" for s in cdn_request.CACHE_STATES if s) + ".\n",
        "## A frame report (table `playhead.stream_frames`)\n",
        "A record of an encoder or a webcam, one a frame or one a second: "
        "`POST /v0/events?name=stream_frames`. The table has the same further columns.\n",
        *rows(documented_fields(frame, "Frame"), meanings.FRAME),
        "\n## A refused event (`/v1/quarantine`)\n",
        *rows(((name, kind, "") for name, (kind, _) in meanings.REFUSED.items()), REFUSED_SAID),
    ]


REFUSED_SAID = {name: said for name, (_, said) in meanings.REFUSED.items()}


def rows(found: Iterator[tuple[str, str, str]], said: Mapping[str, str]) -> list[str]:
    """Return a table of fields; what `said` says stands before a field's own docstring."""
    return [
        "| field | type | meaning |\n|---|---|---|",
        *(
            f"| `{name}` | {cell(kind)} | {cell(said.get(name) or doc)} |"
            for name, kind, doc in found
        ),
    ]


def type_name(kind: object) -> str:
    text = str(kind).replace("playhead.model.event.", "").replace("typing.", "")
    return text.removeprefix("<class '").removesuffix("'>").replace(" | None", "")


def command_line() -> str:
    lines = ["# Command line\n"]

    def show(command: click.Command, name: str) -> None:
        context = click.Context(
            command,
            info_name=name,
            terminal_width=96,
            max_content_width=96,
            help_option_names=["-h", "--help"],
        )
        lines.append(f"## {name}\n\n```\n{command.get_help(context)}\n```\n")
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                if found is not None:
                    show(found, f"{name} {child}")

    show(main, "playhead")
    return "\n".join(lines)


PAGES = {
    "settings.md": settings,
    "errors.md": error_page,
    "metrics.md": metric_page.page,
    "fields.md": fields,
    "data-files.md": data_files_page.page,
    "command-line.md": command_line,
}


def stale() -> list[str]:
    """Return the pages that do not say what the code says."""
    return [
        name
        for name, make in PAGES.items()
        if not (OUT / name).exists() or (OUT / name).read_text("utf-8") != NOTE + make()
    ]


if __name__ == "__main__":
    asked = sys.argv[1:]
    if asked not in ([], ["--check"]):
        print(
            f"generate.py knows --check and nothing else, not: {' '.join(asked)}", file=sys.stderr
        )
        sys.exit(2)
    if asked:
        old = [f"docs/reference/{name}" for name in stale()]
        old += [f"a snippet in {page.name}" for page in snippets.stale()]
        print("\n".join(f"out of date: {name}" for name in old) or "up to date")
        sys.exit(bool(old))
    for name, make in PAGES.items():
        (OUT / name).write_text(NOTE + make(), "utf-8")
    for page in snippets.stale():
        page.write_text(snippets.renewed(page.read_text("utf-8")), "utf-8")
