"""A template: compiled once, rendered for every request."""

import threading
import warnings as python_warnings
from collections.abc import Mapping

from playhead.template import names
from playhead.template.context import BYTES_MAX, STEPS_MAX, Context
from playhead.template.discovery import assigned, discovered, merged, required_names
from playhead.template.evaluate import Functions
from playhead.template.functions import EXPRESSION_FUNCTIONS, STATEMENT_FUNCTIONS
from playhead.template.program import Step, Trees, program
from playhead.template.rendering import Inputs, Parameter, Rendered
from playhead.template.scope import Scope
from playhead.template.syntax import read_template
from playhead.template.types import prepared

FUNCTIONS = Functions(output=EXPRESSION_FUNCTIONS, statement=STATEMENT_FUNCTIONS)

_reading = threading.Lock()


class Template:
    """The template of a node. It keeps nothing of a rendering, so threads may share it."""

    __slots__ = ("_first", "_required", "_step", "name", "parameters", "warnings")

    def __init__(
        self, name: str, step: Step, discoveries: tuple[Parameter, ...], own: frozenset[str]
    ) -> None:
        self.name = name
        self.parameters = merged(discoveries)
        """The parameters the template asks for, a name once, in the order they are found."""
        self.warnings = names.warnings(one.name for one in self.parameters if one.name not in own)
        """A sentence for every parameter whose name a request already uses."""
        self._step = step
        self._required = required_names(discoveries)
        # Only the first discovery of a name decides whether it is a list (pipes.md 7, 15).
        self._first = {one.name: one for one in reversed(discoveries)}

    @classmethod
    def compile(cls, text: str, *, name: str = "") -> "Template":
        """Compile the text of a node without its leading `%`; `name` is the node's, for errors.

        Raises TemplateInvalid, whose text ends in ` at <name>:<line>`.
        """
        trees = Trees(name or "template", FUNCTIONS)
        # Python's parser warns about what it finds odd in a text; that is for the author of a
        # Python file. The filters are the process's, so one template at a time.
        with _reading, python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")
            pieces = read_template(text, name=name)
            step = program(pieces, trees)
            discoveries = discovered(pieces, trees)
            own = assigned(pieces, trees)
        names.refuse(one.name for one in discoveries if one.name not in own)
        return cls(name, step, discoveries, own)

    def render(
        self, inputs: Inputs, *, steps_max: int = STEPS_MAX, bytes_max: int = BYTES_MAX
    ) -> Rendered:
        """Return the SQL for a request's parameters.

        Raises TemplateRefused when the template does not accept them, or would take more than
        `steps_max` steps or `bytes_max` characters; CustomRefusal when it answers by itself;
        TemplateInvalid when something in it cannot be computed.
        """
        context = Context(inputs, names=self._required, steps_max=steps_max, bytes_max=bytes_max)
        for parameter, given in inputs.params.items():
            context.params[parameter] = prepared(given, self._first.get(parameter))
        return self._rendered(context)

    def check(self, *, secrets: Mapping[str, str] | None = None) -> Rendered:
        """Return the SQL without a request: a placeholder stands for every parameter.

        Raises TemplateInvalid when the template is wrong whatever a request holds.
        """
        inputs = Inputs(secrets=secrets or {})
        return self._rendered(Context(inputs, checking=True, names=self._required))

    def _rendered(self, context: Context) -> Rendered:
        scope = Scope(context)
        self._step(scope)
        return Rendered(
            sql="".join(scope.sql), bound=context.bound, directives=context.asked.frozen()
        )
