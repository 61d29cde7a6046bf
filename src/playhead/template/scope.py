"""What one rendering holds: the names it knows and the SQL it has made."""

from typing import Any

from playhead.template.context import Context
from playhead.template.place import Place
from playhead.template.rendering import TemplateRefused


class Scope:
    """The state every step of a rendering is given."""

    __slots__ = ("_place", "_size", "context", "names", "sql")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.names: dict[str, Any] = dict(context.params)
        """Parameters by name, and the variables of `set`, `for` and `except` over them."""
        self.sql: list[str] = []
        self._place = Place()
        self._size = 0

    def put_text(self, text: str) -> None:
        """Add text of the template itself."""
        self._grow(len(text))
        self._place.feed(text)
        self.sql.append(text)

    def put_value(self, text: str) -> None:
        """Add the text of a value; TemplateRefused when it would stand inside other quotes."""
        self._grow(len(text))
        self.sql.append(self._place.put(text))

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self.context.bytes_max:
            raise TemplateRefused(
                f"The template makes more than {self.context.bytes_max} characters of SQL.",
                hint="Send fewer or shorter values, or raise pipes.max_template_bytes.",
            )
