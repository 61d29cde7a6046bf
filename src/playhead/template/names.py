"""Names of parameters that mean something else in a request."""

from collections.abc import Iterable

from playhead.template.rendering import TemplateInvalid

REFUSED = frozenset({"format", "q"})
"""Parts of every request: a parameter of that name could never be sent."""
RESERVED = frozenset(
    {
        "token", "tag", "debug", "explain", "pipeline", "playground", "query_id",
        "template_parameters", "finalize_aggregations", "output_format_json_quote_64bit_integers",
        "output_format_json_quote_denormals", "output_format_parquet_string_as_string",
        "release_replacements",
    }
)  # fmt: skip
"""Options of a request: a parameter of that name works, but takes the option's value."""
RESERVED_PREFIX = "__tb__"


def refuse(names: Iterable[str]) -> None:
    """Refuse a template that asks for a parameter no request can send."""
    for name in names:
        if name in REFUSED:
            raise TemplateInvalid(
                f"A parameter cannot be called '{name}': every request has one of that name.",
                hint=f"Choose another name, '{name}_value' for instance.",
            )


def warnings(names: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence for each name that a request already uses, in their order."""
    return tuple(
        f"The parameter '{name}' has the name of an option of every request; it gets that value."
        for name in dict.fromkeys(names)
        if name in RESERVED or name.startswith(RESERVED_PREFIX)
    )
