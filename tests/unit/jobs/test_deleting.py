from pathlib import Path
from typing import Any

import pytest

from playhead.clock import ManualClock
from playhead.jobs import deleting
from playhead.jobs.deleting import Asked, Removal, removal_job
from playhead.jobs.table import Jobs
from playhead.jobs.work import Work
from playhead.model.command import Place


async def test_a_removal_that_may_be_in_the_log_is_not_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    async def killed(work: Work, _: Any) -> None:
        sent.append(work.job.id)
        if len(sent) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(deleting, "commanded", killed)
    monkeypatch.setattr(deleting, "_place", lambda _: Place("d", "plays"))
    jobs = Jobs(tmp_path / "jobs.db", ManualClock(), kept_max=9, waiting_max=9)
    made = jobs.add(removal_job("truncate", "plays", Asked(), workspace=""))
    nobody: Any = None
    with pytest.raises(KeyboardInterrupt):
        await Removal("truncate").run(Work(jobs.begin(made.id), jobs, nobody))
    jobs.cancel(made.id)
    await Removal("truncate").run(Work(jobs.begin(made.id), jobs, nobody))
    assert len(sent) == 2
    assert jobs.known(made.id).kept == {"sending": True, "sent": True}
    jobs.close()
