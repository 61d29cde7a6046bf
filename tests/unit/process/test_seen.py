from hypothesis import given
from hypothesis import strategies as st

from playhead.process.seen import Seen


@given(st.lists(st.integers(0, 40)))
def test_seq_is_new_exactly_once(seqs: list[int]) -> None:
    seen = Seen()
    taken = [seq for seq in seqs if seen.add_seq(seq)]
    assert taken == list(dict.fromkeys(seqs))


@given(st.lists(st.integers(0, 40)), st.lists(st.integers(0, (1 << 64) - 1)))
def test_image_remembers_everything(seqs: list[int], hashes: list[int]) -> None:
    seen = Seen()
    for seq in seqs:
        seen.add_seq(seq)
    for value in hashes:
        seen.add_hash(value)
    again = Seen.of(seen.image())
    assert not any(again.add_seq(seq) for seq in seqs)
    assert not any(again.add_hash(value) for value in hashes)


def test_a_view_without_loss_needs_one_range() -> None:
    seen = Seen()
    for seq in [*range(0, 100, 2), *range(1, 100, 2)]:
        seen.add_seq(seq)
    assert seen.image().bounds == [0, 99]
