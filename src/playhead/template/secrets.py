"""Secrets in templates: bound as values of the query, never part of its text."""

import re
from typing import Any

from playhead.template.context import Context
from playhead.template.placeholders import NO_VALUE, Placeholder
from playhead.template.rendering import TemplateInvalid, TemplateRefused
from playhead.template.types import SHOWN_CHARS, text_of, unnamed
from playhead.template.values import Raw

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def tb_secret(context: Context, secret: Any, default: Any = None) -> Raw:
    """Bind a secret and return where the query takes it: `{name: String}`."""
    name = text_of(unnamed(secret)[0] or "")
    if _NAME.fullmatch(name) is None:
        raise TemplateInvalid(
            f"'{name[:SHOWN_CHARS]}' is no name of a secret.",
            hint="Write tb_secret('cdn_key'): letters, digits and _, a letter first.",
        )
    value = context.inputs.secrets.get(name)
    if value is None and default is not None and not isinstance(default, Placeholder):
        value = text_of(default)
    if value is None:
        if not context.checking:
            raise TemplateRefused(
                f"The secret '{name}' is not set.",
                hint=f"Set it ({name}=… in .env.local) or give a default: "
                f"tb_secret('{name}', 'x').",
            )
        value = NO_VALUE
    context.bound[name] = value
    return Raw(f"{{{name}: String}}")
