"""Free space of the disk under the log, and the floor below which nothing is appended."""

import os
from collections.abc import Callable
from pathlib import Path

from playhead.clock import Clock
from playhead.errors import DiskLow
from playhead.log.database import DISK_LOW_RETRY_S

CHECK_EVERY_S = 0.5
"""A measurement is believed this long; asking the kernel at every commit would cost more."""


class FreeSpace:
    """Refuses appends while the disk has less free than `floor_bytes`.

    Args:
        folder: A folder on the disk that is watched.
        floor_bytes: What must stay free, so that SQLite and the engine can still delete.
        clock: Its monotonic side decides when to measure again.
        measure: Returns the free bytes; the kernel's figure when None.
    """

    def __init__(
        self,
        folder: Path,
        floor_bytes: int,
        clock: Clock,
        *,
        measure: Callable[[], int] | None = None,
    ) -> None:
        self._folder = folder
        self._floor_bytes = floor_bytes
        self._clock = clock
        self._measure = measure or self._free_bytes
        self._measured_at_s = float("-inf")
        self._is_low = False

    def check(self) -> None:
        """Return if there is room.

        Raises:
            DiskLow: Free space is below the floor.
        """
        now_s = self._clock.monotonic_s()
        if now_s - self._measured_at_s >= CHECK_EVERY_S:
            self._is_low = self._measure() < self._floor_bytes
            self._measured_at_s = now_s
        if self._is_low:
            raise DiskLow(retry_after_s=DISK_LOW_RETRY_S)

    def _free_bytes(self) -> int:
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize
