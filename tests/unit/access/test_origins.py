import pytest

from playhead.access.origins import checked_origins
from playhead.errors import InvalidRequest


def test_origins_are_kept_once_in_small_letters_without_a_slash() -> None:
    given = ("https://TV.example/", " https://tv.example", "http://[::1]:8080", "app://a.b")
    assert checked_origins(given) == ("https://tv.example", "http://[::1]:8080", "app://a.b")


@pytest.mark.parametrize(
    "wrong", ["tv.example", "https://tv.example/page", "", "null", "*", "https://a b", "https://" + "a" * 300]
)  # fmt: skip
def test_what_is_no_origin_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidRequest, match="is no origin"):
        checked_origins([wrong])


def test_their_number_has_a_limit() -> None:
    with pytest.raises(InvalidRequest, match="50"):
        checked_origins([f"https://{number}.example" for number in range(51)])
