"""What a refusal says to the one who asked: the same over HTTP and in a test run."""

from typing import Any, Final

from playhead.errors import QueryRefused
from playhead.template.rendering import CustomRefusal

STATUS_MIN: Final = 400
STATUS_MAX: Final = 599


def custom(error: CustomRefusal) -> tuple[int, dict[str, Any] | list[Any]]:
    """Return status and body of `custom_error`; a status that is no error's is 400."""
    status = error.answer_status
    good = isinstance(status, int) and STATUS_MIN <= status <= STATUS_MAX
    answer = error.answer if isinstance(error.answer, dict | list) else {"error": str(error.answer)}
    return status if good else STATUS_MIN, answer


def with_hint(error: QueryRefused) -> QueryRefused:
    """Return the error with what to do in its sentence: many clients show `error` alone."""
    if error.hint == QueryRefused.hint or error.hint in error.message:
        return error
    return QueryRefused(f"{error.message} {error.hint}", hint=error.hint)
