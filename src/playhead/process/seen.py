"""What a view has already counted, so that a second sending changes nothing.

Sequence numbers are kept as ranges (a view without loss needs one), other identities as a sorted
array of 64-bit hashes: 8 bytes an event, where a Python set would take some sixty.
"""

from array import array
from bisect import bisect_left, bisect_right

import msgspec


class SeenImage(msgspec.Struct, array_like=True):
    """`Seen` as it is stored: range bounds in turn, hashes as raw 64-bit integers."""

    bounds: list[int]
    hashes: bytes


class Seen:
    """Identities already counted within one view key."""

    __slots__ = ("_hashes", "_highs", "_lows")

    def __init__(self) -> None:
        self._lows: list[int] = []
        self._highs: list[int] = []
        self._hashes: array[int] = array("Q")

    def add_seq(self, seq: int) -> bool:
        """Count a sequence number; return False if it was there before."""
        lows, highs = self._lows, self._highs
        if highs and seq == highs[-1] + 1:
            highs[-1] = seq
            return True
        at = bisect_right(lows, seq)
        if at and seq <= highs[at - 1]:
            return False
        joins_left = at > 0 and highs[at - 1] + 1 == seq
        joins_right = at < len(lows) and lows[at] == seq + 1
        if joins_left and joins_right:
            highs[at - 1] = highs[at]
            del lows[at], highs[at]
        elif joins_left:
            highs[at - 1] = seq
        elif joins_right:
            lows[at] = seq
        else:
            lows.insert(at, seq)
            highs.insert(at, seq)
        return True

    def add_hash(self, value: int) -> bool:
        """Count a hash; return False if it was there before."""
        at = bisect_left(self._hashes, value)
        if at < len(self._hashes) and self._hashes[at] == value:
            return False
        self._hashes.insert(at, value)
        return True

    @property
    def numbered(self) -> bool:
        """Whether any sequence number was counted."""
        return bool(self._lows)

    def image(self) -> SeenImage:
        """Return the form that is stored."""
        bounds = [bound for pair in zip(self._lows, self._highs, strict=True) for bound in pair]
        return SeenImage(bounds, self._hashes.tobytes())

    @classmethod
    def of(cls, image: SeenImage) -> "Seen":
        """Return what was stored as `image`."""
        seen = cls()
        seen._lows = image.bounds[0::2]
        seen._highs = image.bounds[1::2]
        seen._hashes.frombytes(image.hashes)
        return seen
