"""Whatever is appended, over whatever restarts and rotations, comes back as it was."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from playhead import config
from playhead.clock import ManualClock
from playhead.log.base import Entry
from playhead.log.segments import SegmentLog

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda unit, times: unit * times, st.binary(max_size=8), st.integers(0, 2_000)),
)
ENTRIES = st.builds(
    Entry,
    door=TEXTS,
    key=TEXTS,
    events=st.integers(0, 2_000),
    meta=st.binary(max_size=100),
    body=BODIES,
)


class LogMachine(RuleBasedStateMachine):
    """A log beside a plain list of what was appended to it."""

    @initialize(segment_bytes=st.sampled_from([1, 700, 5_000, 1 << 30]))
    def begin(self, segment_bytes: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.settings = config.Log(
            free_space_floor_bytes=0,
            segment_bytes=segment_bytes,
            segment_age_ms=60_000,
            retention_age_ms=120_000,
        )
        self.appended: list[Entry] = []
        self.times: list[int] = []
        self.log = self.opened(writable=True)
        self.follower = self.opened(writable=False)

    def opened(self, *, writable: bool) -> SegmentLog:
        return SegmentLog(Path(self.folder.name), self.settings, self.clock, writable=writable)

    @rule(entries=st.lists(ENTRIES, max_size=8))
    def append(self, entries: list[Entry]) -> None:
        start = len(self.appended)
        self.appended += entries
        newest = max([self.clock.now_ms(), *self.times[-1:]])
        self.times += [newest] * len(entries)
        assert self.log.append(entries) == list(range(start, len(self.appended)))

    @rule(copies=st.integers(60, 140), one=ENTRIES)
    def append_more_than_a_statement_takes(self, copies: int, one: Entry) -> None:
        self.append([one] * copies)

    @rule(ms=st.integers(-200_000, 200_000))
    def time_passes(self, ms: int) -> None:
        self.clock.advance(ms)

    @rule()
    def restart(self) -> None:
        self.log.close()
        self.log = self.opened(writable=True)

    @rule(ahead=st.integers(0, 50))
    def trim(self, ahead: int) -> None:
        first = self.log.bounds().first
        self.log.trim(first + ahead)
        assert self.log.bounds().first <= first + ahead

    @rule(skip=st.integers(0, 60), max_records=st.integers(1, 50), max_bytes=st.integers(1, 4_000))
    def read(self, skip: int, max_records: int, max_bytes: int) -> None:
        start = min(self.follower.bounds().first + skip, len(self.appended))
        got = self.follower.read(start, max_records=max_records, max_bytes=max_bytes)
        assert [record.offset for record in got] == list(range(start, start + len(got)))
        for record in got:
            back = Entry(record.door, record.key, record.events, record.meta, record.body)
            assert back == self.appended[record.offset]
            assert record.received_at == self.times[record.offset]
        assert len(got) <= max_records
        assert sum(len(record.body) for record in got[:-1]) < max_bytes
        assert bool(got) == (start < len(self.appended))

    @invariant()
    def both_sides_agree_on_bounds_and_counts(self) -> None:
        if not hasattr(self, "log"):
            return
        bounds = self.log.bounds()
        assert self.follower.bounds() == bounds
        assert bounds.next == len(self.appended)
        assert bounds.events_total == sum(entry.events for entry in self.appended)
        assert self.follower.events_before(bounds.first) == sum(
            entry.events for entry in self.appended[: bounds.first]
        )

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self.log.close()
            self.follower.close()
            self.folder.cleanup()


LogMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLog = LogMachine.TestCase
