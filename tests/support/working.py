"""A worker in a thread of the test, until something holds or it dies."""

import threading
from collections.abc import Callable

from playhead.process.worker import Worker


def run_until(worker: Worker, done: Callable[[], bool]) -> list[BaseException]:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001 (the crash we made)
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive() and not done():
        thread.join(0.02)
    worker.stop()
    thread.join()
    return failed
