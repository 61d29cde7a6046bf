import pytest

from playhead.collect.logs.caches import WORDS, state_of
from playhead.model.cdn_request import CACHE_STATES

PAIRS = [(word, state) for state, words in WORDS.items() for word in words]


@pytest.mark.parametrize(("word", "state"), PAIRS)
def test_every_word_of_the_table_means_its_state_in_any_case(word: str, state: str) -> None:
    assert state_of(word) == state_of(f" {word.lower()} ") == state


def test_the_tables_states_are_the_models_and_no_word_has_two() -> None:
    assert set(WORDS) | {""} == set(CACHE_STATES)
    assert len({word for word, _ in PAIRS}) == len(PAIRS)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("MISS, HIT", "hit"),
        ("HIT, MISS", "miss"),
        ("HIT-SOMETHING", "hit"),
        ("Hit/from-edge", "hit"),
        ("NONE", ""),
        ("WHATEVER", ""),
        ("", ""),
    ],
)
def test_several_words_and_unknown_ones(word: str, state: str) -> None:
    assert state_of(word) == state
