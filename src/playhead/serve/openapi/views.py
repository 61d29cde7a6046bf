"""Answers about views as operations."""

from playhead.config import Config
from playhead.query.export import COLUMNS
from playhead.query.views import ORDERS
from playhead.serve.openapi.operations import JSON, ROWS, Operation, loose, row, rows_of
from playhead.serve.openapi.parameters import (
    CURSOR,
    FAULTS_OF_ONE,
    FORMAT,
    SPAN,
    choice,
    narrowed,
    path,
    text,
    whole,
)


def operations(config: Config) -> tuple[Operation, ...]:
    """Return the answers about views, one by one."""
    view = {"$ref": "#/components/schemas/View"}
    return (
        Operation(
            path="/v1/views", tag="Views", data=rows_of(view),
            said="A page of views, by their start.",
            parameters=(
                *SPAN, *narrowed("views"), FORMAT,
                choice("order", "Order of the rows.", *(f"{one}:{way}" for one in ORDERS for way in ("desc", "asc"))),
                whole("limit", "Rows of a page.", most=config.query.max_page_rows, default=100), CURSOR,
            ),
        ),
        Operation(
            path="/v1/views/export", tag="Views", forms=ROWS[1:], bare=True,
            said="Every view of a span as a file, streamed.",
            data={"type": "string"},
            parameters=(
                *SPAN, *narrowed("views"),
                choice("format", "The form of the file.", "ndjson", "csv", "parquet", default="ndjson"),
                text("columns", "Fields joined by commas; also `watched` and `intervals`.",
                     pattern=f"^({'|'.join(COLUMNS)})?$"),
            ),
        ),
        Operation(
            path="/v1/views/{view_id}/p1203", tag="Views", forms=JSON, faults=FAULTS_OF_ONE,
            said="One view in the input form of ITU-T P.1203.",
            data=row(I11={"type": "object"}, I13={"type": "object"}, I23={"type": "object"},
                     IGen={"type": "object"}),
            parameters=(path("view_id", "Id of the view."),),
        ),
        Operation(
            path="/v1/views/{view_id}", tag="Views", faults=FAULTS_OF_ONE,
            said="One view with its state intervals, events, CDN requests and the causes of its troubles.",
            data={"allOf": [view, loose(
                intervals=rows_of(loose(state="string")), events=rows_of({"type": "object"}),
                requests=rows_of({"type": "object"}), cdn_kpis=rows_of({"type": "object"}),
                causes=rows_of(loose(what="string", code="string", sentence="string", confidence="string")),
            )]},
            parameters=(path("view_id", "Id of the view."), FORMAT),
        ),
    )  # fmt: skip
