"""What goes into the rendering of a template, and what comes out."""

from collections.abc import Mapping
from typing import Any

import msgspec

from playhead.errors import InvalidRequest

Given = str | list[str]
"""A value of a request: text, or the texts of a key that was repeated."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a template is rendered with."""

    params: Mapping[str, Given] = {}
    secrets: Mapping[str, str] = {}
    job_timestamp: str | None = None
    """Fills a parameter of that name when the request does not: `2025-01-01 00:00:00`."""


class Directives(msgspec.Struct, frozen=True, kw_only=True):
    """Query options a template asks for."""

    max_threads: int | None = None
    cache_ttl_s: int | None = None
    backend_hint: str | None = None
    activate: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """SQL to run: `sql` holds `{name:String}` for every value in `bound`."""

    sql: str
    bound: dict[str, str] = {}
    directives: Directives = Directives()


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter a template asks for, found without running it."""

    name: str
    type: str = "String"
    default: Any = None
    has_default: bool = False
    required: bool = False
    description: str = ""
    enum: tuple[str, ...] = ()
    example: str = ""
    format: str = ""
    item_type: str = ""
    """Of an Array."""
    listed: bool = True
    """Whether the sentence about required parameters may name it."""


class TemplateInvalid(InvalidRequest):
    """The template cannot be used as it is written."""

    code = "template_invalid"

    def __init__(self, message: str, *, hint: str | None = None, line: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.line = line
        """Counts from 1, the line of the `%`; 0 = not known."""


class TemplateRefused(InvalidRequest):
    """The template refuses these parameters."""

    code = "template_refused"


class CustomRefusal(InvalidRequest):
    """The template answers with a body and a status of its own."""

    code = "custom_refusal"

    def __init__(self, answer: Any, status: int) -> None:
        super().__init__("The endpoint refused with an answer of its own.")
        self.answer = answer
        self.answer_status = status
