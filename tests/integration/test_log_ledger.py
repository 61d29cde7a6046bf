"""The worker's ledger after `kill -9`, seen from other processes."""

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from playhead.log.offsets import Intent, Ledger

WORKER = """
import sys, time
from pathlib import Path
from playhead.log.offsets import Intent, Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(5):
    ledger.intend(Intent(number * 10, number * 10 + 10, number))
    ledger.advance(number * 10 + 10, {"stored": 7})
ledger.intend(Intent(50, 60, 5))
ledger.note(state="inserting")
print("ready", flush=True)
time.sleep(600)
"""


def test_a_killed_worker_leaves_its_intent_and_its_counts(tmp_path: Path) -> None:
    path = tmp_path / "worker.db"
    command = [sys.executable, "-c", WORKER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        with closing(Ledger(path, writable=False)) as status:
            assert (status.position(), status.counts()) == (50, {"stored": 35})
            assert status.notes() == {"state": "inserting"}
        worker.send_signal(signal.SIGKILL)
    with closing(Ledger(path)) as ledger:
        assert (ledger.position(), ledger.intents()) == (50, [Intent(50, 60, 5)])
