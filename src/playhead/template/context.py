"""One rendering: its parameters, what it may still spend, and what it asked for."""

from collections.abc import Mapping
from typing import Any

from playhead.template.placeholders import Placeholder
from playhead.template.rendering import Directives, Inputs, TemplateRefused

STEPS_MAX = 100_000
BYTES_MAX = 1_048_576
CHARS_A_STEP = 64
"""How much text is made for the price of a step."""


class Asked:
    """The mutable twin of `Directives`."""

    def __init__(self) -> None:
        self.max_threads: int | None = None
        self.cache_ttl_s: int | None = None
        self.backend_hint: str | None = None
        self.activate: list[str] = []
        self.disable: list[str] = []

    def frozen(self) -> Directives:
        """Return what was asked for."""
        return Directives(
            max_threads=self.max_threads,
            cache_ttl_s=self.cache_ttl_s,
            backend_hint=self.backend_hint,
            activate=tuple(dict.fromkeys(self.activate)),
            disable=tuple(dict.fromkeys(self.disable)),
        )


class Context:
    """What the functions of one rendering share."""

    def __init__(
        self,
        inputs: Inputs,
        *,
        checking: bool = False,
        params: Mapping[str, Any] | None = None,
        names: tuple[str, ...] = (),
        steps_max: int = STEPS_MAX,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self.inputs = inputs
        self.checking = checking
        """Check mode: what is absent becomes a placeholder."""
        self.names = names
        """For the sentence about required parameters: found without a default, in order."""
        self.params: dict[str, Any] = {} if params is None else dict(params)
        """The request's parameters by name, those declared as an Array as lists."""
        self.bound: dict[str, str] = {}
        self.asked = Asked()
        self.steps_max = steps_max
        self.steps_left = steps_max
        self.bytes_max = bytes_max
        self.depth = 0
        """Functions of the template's own at work inside each other."""
        if inputs.job_timestamp is not None:
            self.params.setdefault("job_timestamp", inputs.job_timestamp)

    def absent(self, name: str, line: int = 0) -> Placeholder | None:
        """Return what a name is worth that the request does not give."""
        return Placeholder(name, line) if self.checking else None

    def spend(self, steps: int = 1) -> None:
        """Take steps off the budget; refuse the rendering when it is used up."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise TemplateRefused(
                f"The template takes more than {self.steps_max} steps with these parameters.",
                hint="Send fewer or shorter values, loop over less, or raise "
                "pipes.max_template_steps.",
            )

    def make(self, size: int) -> None:
        """Refuse a value or a text of `size` characters or items if that is too much.

        Call it before the value is made; what is allowed is charged as steps.
        """
        if size > self.bytes_max:
            raise TemplateRefused(
                f"The template makes a value of {size} characters; {self.bytes_max} are allowed.",
                hint="Send shorter values, or raise pipes.max_template_bytes.",
            )
        self.spend(1 + size // CHARS_A_STEP)
